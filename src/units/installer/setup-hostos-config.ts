import { join } from "node:path";
import { ProblemError } from "../../base/problem.ts";
import { hasReached } from "../../setupos/install-record.ts";
import { withVolume } from "../../setupos/volumes.ts";
import { mount, unmount } from "../../system/disks/mounts.ts";
import { type Machine, unit } from "../machine.ts";
import { accountKeys, installationOf, nodeDrives, notePhase, onDrives } from "./installation.ts";
import { installGuestos } from "./install-guestos.ts";
import { stickOf } from "./stick.ts";

/**
 * Afterwards the host's configuration is in its volume `config`: config.json, which root alone can read, because the operator's key is in it,
 * and the keys of its accounts. There is no conflict.
 */
export const setupHostosConfig = unit({
  name: "setup-hostos-config",
  title: "Write the host's configuration",
  requires: [installGuestos],
  owns: ["configuration on the drives of the node", "mount:/run/guestos-boot/host-config"],
  timeout: 600_000,
  async plan(machine) {
    const { host } = machine;
    const { plan } = await installationOf(machine);
    if (hasReached(plan.phase, "configured")) return [];
    return [
      onDrives(machine, plan, "write config.json and the keys of the accounts to the volume hostlvm/config", async () =>
        withVolume(host, nodeDrives(plan), "config", async ({ path }) => {
          const folder = stickOf(machine).hostConfig;
          await host.makeFolder(folder, { mode: 0o700 });
          await mount(host, { source: path, mountPoint: folder, fileSystem: "ext4", options: ["nodev", "nosuid", "noexec"] });
          try {
            await writeConfig(machine, folder);
          } finally {
            await unmount(host, folder);
          }
        }),
      ),
      notePhase(machine, plan, "configured", "that the host is configured"),
    ];
  },
});

async function writeConfig(machine: Machine, folder: string): Promise<void> {
  const { host, layout } = machine;
  const text = layout.hostosConfig === undefined ? undefined : await host.readBytes(layout.hostosConfig);
  if (text === undefined) throw new ProblemError({ code: "node-config-missing", what: "the node's configuration was not made yet" });
  await host.writeFile(join(folder, "config.json"), text, { mode: 0o600, uid: 0, gid: 0 });
  const keys = join(folder, "ssh_authorized_keys");
  await host.remove(keys);
  await host.makeFolder(keys, { mode: 0o755 });
  for (const [name, content] of await accountKeys(machine))
    await host.writeFile(join(keys, name), content, { mode: 0o644, uid: 0, gid: 0 });
}
