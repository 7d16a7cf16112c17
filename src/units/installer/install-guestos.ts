import { hasReached } from "../../setupos/install-record.ts";
import { withVolume } from "../../setupos/volumes.ts";
import { writeDisk } from "../../setupos/write-disk.ts";
import { unit } from "../machine.ts";
import { zeroBehind } from "../../setupos/zero-behind.ts";
import { installationOf, nodeDrives, notePhase, onDrives, progressOf } from "./installation.ts";
import { installHostos } from "./install-hostos.ts";

/**
 * Afterwards the disk of GuestOS is in the volume `guestos`, and what an older guest had behind it is gone. There is no conflict.
 */
export const installGuestos = unit({
  name: "install-guestos",
  title: "Install GuestOS",
  requires: [installHostos],
  owns: ["GuestOS on the drives of the node", "/run/guestos-boot/progress/install-guestos.json"],
  timeout: 6 * 3_600_000,
  async plan(machine) {
    const { host } = machine;
    const { plan, guestos } = await installationOf(machine);
    if (hasReached(plan.phase, "guest-written")) return [];
    const onProgress = progressOf(machine, "install-guestos");
    return [
      onDrives(machine, plan, "write GuestOS to the volume hostlvm/guestos, and read it back", async () =>
        withVolume(host, nodeDrives(plan), "guestos", async (volume) => {
          await writeDisk(host, guestos, volume, { withoutBootLoader: false, onProgress });
          await zeroBehind(host, volume, guestos.image.disk);
        }),
      ),
      notePhase(machine, plan, "guest-written", "that GuestOS is written"),
    ];
  },
});
