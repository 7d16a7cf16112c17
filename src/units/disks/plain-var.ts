import { randomUUID } from "node:crypto";
import { type Intent, readIntent } from "../../config/state/intent.ts";
import { requireDevice } from "../../system/disks/block-devices.ts";
import { mountAt } from "../../system/disks/mounts.ts";
import { contentOf } from "../../system/disks/signature.ts";
import { requireBootedSlot } from "../../upgrade/booted-slot.ts";
import { unit } from "../machine.ts";
import { mountActions } from "./checked-mounts.ts";
import { mountPointTaken } from "./disk-problems.ts";
import { fillVar } from "./fill-var.ts";
import { mountBoot } from "./mount-boot.ts";
import { mountOptions } from "./mount-options.ts";
import { noteIntent } from "./note-intent.ts";
import { verdict } from "./verdict.ts";

/**
 * Afterwards /var is the running system's own: ext4, checked, mounted. It is not encrypted, as on HostOS.
 *
 * On the first boot of an installed system its volume is blank. It is then formatted and filled from the image's own /var.
 *
 * It requires the config partition, which has its intent. A conflict means that a complete /var is not there as it was made, or that
 * something else is in its place. It is never formatted then.
 */
export const plainVar = unit({
  name: "plain-var",
  title: "Set up and mount a /var that is not encrypted",
  shapesDisks: true,
  requires: [mountBoot],
  owns: ["mount:/var"],
  // As that of the encrypted one.
  timeout: 1_200_000,
  // A disk that does not answer may recover within seconds.
  retryFor: 10_000,
  async plan(machine) {
    const { host, layout } = machine;
    const slot = await requireBootedSlot(host);
    const label = layout.partitions.var(slot);
    const { device, deviceNumber } = await requireDevice(host, label);
    const place = `${device} (${label})`;
    const mounted = await mountAt(host, layout.mountPoints.var);
    if (mounted !== undefined && mounted.device !== deviceNumber)
      return mountPointTaken(layout.mountPoints.var, { found: mounted.source, expected: place });
    const name = `var-${slot}`;
    const intent = await readIntent(host, layout.config.intents, name);
    const content = await contentOf(host, device, { mustBeZero: false });
    const found = verdict({ place, intent, content, type: "ext4" });
    if (found.kind === "conflict") return found.conflict;
    const isKept = found.kind === "keep";
    const wanted: Intent = intent ?? { version: 1, about: `ext4 on ${place}`, uuid: randomUUID(), phase: "begun" };
    const repaired = "the file system of /var was damaged and has been repaired";
    const request = { source: device, mountPoint: layout.mountPoints.var, fileSystem: "ext4", options: mountOptions.var, place } as const;
    return [
      ...(intent === undefined
        ? [noteIntent(machine, name, wanted, `on the config partition that ${place} is about to be made ext4`)]
        : []),
      ...(isKept
        ? []
        : [
            ...fillVar(machine, device, wanted.uuid),
            noteIntent(machine, name, { ...wanted, phase: "complete" }, `that ext4 on ${place} is complete`),
          ]),
      ...(mounted === undefined ? mountActions(machine, "plain-var", [{ ...request, repaired }]) : []),
    ];
  },
});
