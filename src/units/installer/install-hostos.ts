import { hasReached } from "../../setupos/install-record.ts";
import { readTableAgain } from "../../system/disks/layers.ts";
import { missingOfVolumes } from "../../setupos/volumes.ts";
import { writeDisk } from "../../setupos/write-disk.ts";
import { unit } from "../machine.ts";
import { installationOf, nodeDrives, notePhase, onDrives, progressOf } from "./installation.ts";
import { setupDisk } from "./setup-disk.ts";

/**
 * Afterwards HostOS is on the system drive, all but its boot loader, and its volume group has all room of all drives.
 *
 * The archive is streamed: hashed, unpacked, written and read back. The beginning of the boot loader's partition stays zeros until everything
 * else is done, so that no firmware starts half a system. There is no conflict.
 */
export const installHostos = unit({
  name: "install-hostos",
  title: "Install HostOS",
  requires: [setupDisk],
  owns: ["HostOS on the drives of the node", "/run/guestos-boot/progress/install-hostos.json"],
  timeout: 6 * 3_600_000,
  async plan(machine) {
    const { host } = machine;
    const { plan, hostos } = await installationOf(machine);
    if (plan.phase === "complete") return [];
    const drives = nodeDrives(plan);
    if (hasReached(plan.phase, "host-written"))
      return (await missingOfVolumes(host, drives)).map(({ description, run }) => onDrives(machine, plan, description, run));
    const onProgress = progressOf(machine, "install-hostos");
    return [
      onDrives(machine, plan, `write HostOS to ${drives.system.path}, all but its boot loader, and read it back`, async () => {
        await writeDisk(host, hostos, drives.system, { withoutBootLoader: true, onProgress });
        await readTableAgain(host, drives.system.path);
      }),
      onDrives(machine, plan, "give all room of all drives to the volume group hostlvm, and to its volume guestos", async () => {
        for (let steps = await missingOfVolumes(host, drives); steps[0] !== undefined; steps = steps.slice(1)) {
          host.signal.throwIfAborted();
          await steps[0].run();
        }
      }),
      notePhase(machine, plan, "host-written", "that HostOS is written"),
    ];
  },
});
