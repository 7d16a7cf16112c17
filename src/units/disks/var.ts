import { type Action, conflict, type Conflict, provision } from "../../boot/unit.ts";
import { readIntent, writeIntent } from "../../config/state/intent.ts";
import type { Slot } from "../../config/layout/layout.ts";
import { findPartition, mappings, requirePartition } from "../../system/disks/block-devices.ts";
import { luksClose, luksKeyFits, luksOpen } from "../../system/disks/cryptsetup.ts";
import { mount, mountAt, unmount } from "../../system/disks/mounts.ts";
import { oneLine, ProblemError, toProblem } from "../../base/problem.ts";
import { contentText, readSignature } from "../../system/disks/signature.ts";
import { requireBootedSlot } from "../../upgrade/booted-slot.ts";
import { mountActions } from "./checked-mounts.ts";
import { planEncrypted } from "./encrypted-device.ts";
import { fillVar, unmountLeftOver } from "./fill-var.ts";
import { type Machine, unit } from "../machine.ts";
import { mountOptions } from "./mount-options.ts";
import { storeKey } from "./store-key.ts";
import { mountPointTaken } from "./disk-problems.ts";

/**
 * Afterwards /var is the running system's own: encrypted, ext4, checked, mounted.
 *
 * On the first boot of an installed system its partition is blank. The image ships it blank; an upgrade wipes it and resets its intent. It
 * is then formatted and filled from the image's own /var, and the journal of the other system is copied.
 *
 * It requires the store key alone. A conflict means that a complete /var is not there as it was made, or that something else is in its
 * place. It is never formatted then.
 */
export const varPartition = unit({
  name: "var",
  title: "Set up and mount the encrypted /var",
  shapesDisks: true,
  requires: [storeKey],
  owns: ["mount:/var", "mapping:var_crypt"],
  // Two copies, and their way to a slow disk.
  timeout: 1_200_000,
  retryFor: 10_000,
  async plan(machine) {
    const { host, layout } = machine;
    const slot = await requireBootedSlot(host);
    const label = layout.partitions.var(slot);
    const partition = await requirePartition(host, label);
    const place = `${partition.device} (${label})`;
    const mapping = layout.mappings.var;
    const device = `/dev/mapper/${mapping}`;
    const plan = await planEncrypted(machine, {
      name: `var-${slot}`,
      role: `${slot}_var`,
      place,
      device: partition.device,
      missing: false,
      mapping,
      withInner: true,
    });
    if ("conflict" in plan) return plan;
    const opened = (await mappings(host)).get(mapping);
    const mounted = await mountAt(host, layout.mountPoints.var);
    if (mounted !== undefined && mounted.device !== opened?.deviceNumber)
      return mountPointTaken(layout.mountPoints.var, { found: mounted.source, expected: device });
    const inner = plan.intent.inner;
    if (plan.kind === "keep" && opened !== undefined) {
      const wrong = await innerConflict(machine, device, inner);
      if (wrong !== undefined) return wrong;
    }
    return [
      ...plan.announce,
      ...plan.format,
      ...plan.open,
      ...(plan.kind === "make" && inner !== undefined
        ? fillVar(machine, device, inner, { with: "the journal", copy: async (target) => carryJournal(machine, slot, target) })
        : []),
      ...(plan.kind === "adopt" ? [adopt(machine, `var-${slot}`, plan.intent.uuid, place)] : plan.complete),
      ...(mounted === undefined ? mountVar(machine, device, `var-${slot}`) : []),
    ];
  },
});

/** Milliseconds. A boot does not wait for all of a large journal. */
const JOURNAL_TIMEOUT = 60_000;

/** An operator needs the journal of the system that ran before when an upgrade fails. Losing it stops nothing. */
async function carryJournal({ host, layout, keys, note }: Machine, slot: Slot, target: string): Promise<void> {
  const other: Slot = slot === "A" ? "B" : "A";
  const partition = await findPartition(host, layout.partitions.var(other));
  if (partition === undefined || (await readSignature(host, partition.device))?.type !== "crypto_LUKS") return;
  const name = "var_other";
  const folder = layout.runFiles.varMounts.other;
  try {
    const key = await keys.deviceKey(host, layout, `${other}_var`);
    if (!(await luksKeyFits(host, partition.device, key))) return;
    await host.makeFolder(folder, { mode: 0o700 });
    await unmountLeftOver(host, folder);
    if ((await mappings(host)).has(name)) await luksClose(host, name);
    await luksOpen(host, partition.device, name, key, { readOnly: true });
    try {
      // noload: the other system's file system is read and never written, not even by a replay of its journal.
      await mount(host, {
        source: `/dev/mapper/${name}`,
        mountPoint: folder,
        fileSystem: "ext4",
        options: ["ro", "noload", ...mountOptions.var],
      });
      try {
        if ((await host.stat(`${folder}/log/journal`)) === undefined) return;
        await host.run({ program: "cp", args: ["--archive", `${folder}/log/journal`, `${target}/log/`], timeout: JOURNAL_TIMEOUT });
      } finally {
        await unmount(host, folder);
      }
    } finally {
      await luksClose(host, name);
    }
  } catch (error) {
    note(`the journal of system ${other} was not copied: ${oneLine(toProblem(error))}`);
  }
}

/** The intent is read only right before the mount, because an action of the same plan may write it. */
function mountVar(machine: Machine, device: string, intentName: string): readonly Action[] {
  const { host, layout } = machine;
  const prepare = async (): Promise<void> => {
    const intent = await readIntent(host, layout.config.intents, intentName);
    const wrong = await innerConflict(machine, device, intent?.inner);
    if (wrong !== undefined) throw new ProblemError(wrong.conflict);
  };
  const repaired = "the file system of /var was damaged and has been repaired";
  const wanted = {
    source: device,
    mountPoint: layout.mountPoints.var,
    fileSystem: "ext4",
    options: mountOptions.var,
    place: device,
  } as const;
  return mountActions(machine, "var", [{ ...wanted, repaired, prepare }]);
}

/** A /var of the shell chain that the node's own key opens: its intent records the file system as it is. */
function adopt({ host, layout }: Machine, name: string, uuid: string, place: string): Action {
  return provision(`adopt ${place} as it is`, async () => {
    const inner = await readSignature(host, `/dev/mapper/${layout.mappings.var}`);
    if (inner?.type !== "ext4") {
      throw new ProblemError({
        code: "var-without-content",
        what: `${place} opens with the node's key, but holds no /var`,
        found: inner?.type ?? "no signature that is known",
        expected: "ext4",
      });
    }
    await writeIntent(host, layout.config.intents, name, {
      version: 1,
      about: `LUKS2 on ${place}`,
      uuid,
      inner: inner.uuid,
      phase: "complete",
    });
  });
}

async function innerConflict({ host }: Machine, device: string, uuid: string | undefined): Promise<Conflict | undefined> {
  const found = await readSignature(host, device);
  if (found?.type === "ext4" && found.uuid === uuid) return undefined;
  return conflict({
    code: "file-system-differs",
    what: `${device} does not hold the file system that was made on it; it was not changed`,
    found: found === undefined ? "no signature that is known" : contentText({ kind: "found", ...found }),
    expected: `ext4 ${uuid ?? "of a known identity"}, made and completed before`,
    todo: `its superblock may be damaged: inspect with dumpe2fs and e2fsck -n -b 32768 ${device} before anything else`,
  });
}
