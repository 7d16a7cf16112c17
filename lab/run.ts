/**
 * `node lab/run.ts SCRIPT [NAME]`: runs a bash script as root in a running machine, by the lab shell: without
 * network or login. NAME is a state folder below build/vm; that of `make boot` when absent.
 */
import { defaultMachine } from "./default-machine.ts";
import { program } from "./program.ts";
import { attachVirtualMachine } from "./start-virtual-machine.ts";

await program(async () => {
  const [script, name = defaultMachine] = process.argv.slice(2);
  if (script === undefined) {
    console.error("usage: node lab/run.ts SCRIPT [NAME]");
    return 2;
  }
  const vm = await attachVirtualMachine(name);
  try {
    const { status, bytes, stderr } = await vm.shell.run(script);
    process.stdout.write(bytes);
    process.stderr.write(stderr);
    return status;
  } finally {
    vm.detach();
  }
});
