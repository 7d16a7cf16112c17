/** `make ssh`: logs in to the running machine as admin. What follows on the command line goes to ssh. */
import { spawnSync } from "node:child_process";
import { defaultFiles, defaultMachine } from "./default-machine.ts";
import { program } from "./program.ts";
import { attachVirtualMachine } from "./start-virtual-machine.ts";

await program(async () => {
  const vm = await attachVirtualMachine(defaultMachine);
  const { ssh: port } = vm.ports;
  vm.detach();
  const { status } = spawnSync("ssh", [...sshOptions(port), "admin@127.0.0.1", ...process.argv.slice(2)], { stdio: "inherit" });
  return status ?? 1;
});

/** accept-new: the first key is believed, and from then on the node must show the same after every boot. */
function sshOptions(port: number): readonly string[] {
  const hosts = [
    "-o",
    `UserKnownHostsFile=${defaultFiles.knownHosts}`,
    "-o",
    "HostKeyAlias=guestos-lab",
    "-o",
    "StrictHostKeyChecking=accept-new",
  ];
  return ["-p", String(port), "-i", defaultFiles.adminKey, "-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR", ...hosts];
}
