/** `make stop`: shuts the running machine down, and switches it off when that takes too long. */
import { defaultMachine } from "./default-machine.ts";
import { stateFolder } from "../image/paths.ts";
import { program } from "./program.ts";
import { runningPid } from "./start-qemu.ts";
import { attachVirtualMachine } from "./start-virtual-machine.ts";

await program(async () => {
  if (runningPid(stateFolder(defaultMachine)) === undefined) {
    console.log("the machine is not running");
    return 0;
  }
  const how = await (await attachVirtualMachine(defaultMachine)).shutdown();
  console.log(how === "clean" ? "the machine has shut down" : "the machine did not shut down in time, and was switched off");
  return 0;
});
