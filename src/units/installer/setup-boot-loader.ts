import { oneLine, toProblem } from "../../base/problem.ts";
import { provision } from "../../boot/unit.ts";
import { startFirst } from "../../setupos/boot-entry.ts";
import { hasReached } from "../../setupos/install-record.ts";
import { hasBootLoader, writeBootLoader } from "../../setupos/write-disk.ts";
import { unit } from "../machine.ts";
import { installationOf, nodeDrives, notePhase, onDrives } from "./installation.ts";
import { setupHostosConfig } from "./setup-hostos-config.ts";

/**
 * Afterwards the machine starts HostOS from its system drive. It is last: until then no firmware takes the drive for one that it can start,
 * and the stick goes on where it was. One that is there already is not written again: HostOS may have run since. There is no conflict.
 */
export const setupBootLoader = unit({
  name: "setup-boot-loader",
  title: "Write the boot loader of HostOS",
  requires: [setupHostosConfig],
  owns: ["boot loader on the drives of the node"],
  timeout: 600_000,
  async plan(machine) {
    const { host } = machine;
    const { plan, hostos } = await installationOf(machine);
    if (plan.phase === "complete") return [];
    const { system } = nodeDrives(plan);
    const isThere = hasReached(plan.phase, "configured") && (await hasBootLoader(host, hostos, system));
    return [
      ...(isThere
        ? []
        : [
            onDrives(machine, plan, `write the boot loader to ${system.path}, and read it back`, async () =>
              writeBootLoader(host, hostos, system),
            ),
          ]),
      provision(`make the firmware start ${system.path} first`, async () => {
        try {
          await startFirst(host, system.path);
        } catch (error) {
          host.signal.throwIfAborted();
          machine.note(`the firmware has no entry for the node, which is found without one: ${oneLine(toProblem(error))}`);
        }
      }),
      notePhase(machine, plan, "complete", "that the installation is complete"),
    ];
  },
});
