import { activate, provision } from "../../boot/unit.ts";
import { type Intent, readIntent } from "../../config/state/intent.ts";
import { type Layout, volumeBytes, type VolumeLayout } from "../../config/layout/layout.ts";
import { mebibytes } from "../../config/text/size-text.ts";
import { type Mapping, mappings, requirePartition } from "../../system/disks/block-devices.ts";
import {
  activateVolumeGroup,
  createPhysicalVolume,
  createVolume,
  createVolumeGroup,
  newLvmUuid,
  volumeGroupOn,
  volumeMapping,
} from "../../system/disks/lvm.ts";
import { ProblemError } from "../../base/problem.ts";
import { contentOf } from "../../system/disks/signature.ts";
import { storeKeyKind } from "./key-ring.ts";
import { noteIntent } from "./note-intent.ts";
import { type Machine, unit } from "../machine.ts";
import { storeKey } from "./store-key.ts";
import { verdict } from "./verdict.ts";
import { besideNode } from "../injection/vm-type.ts";

/**
 * Afterwards the volume group of the store and its logical volumes exist and are active.
 *
 * It requires the open store alone. A conflict means that the store holds something other than the physical volume that was made there. A
 * volume that is missing from a complete group is an error, and is never made again.
 */
export const volumes = unit({
  name: "volumes",
  title: "Set up the logical volumes of the store",
  absent: besideNode,
  shapesDisks: true,
  requires: [storeKey],
  owns: ["vg:store"],
  timeout: 180_000,
  retryFor: 15_000,
  async plan(machine) {
    const { host, layout } = machine;
    const active = await mappings(host);
    const device = await storeDevice(machine, active);
    const intent = await readIntent(host, layout.config.intents, INTENT);
    const content = await contentOf(host, device, { mustBeZero: false });
    const proven = intent === undefined && (await storeKeyKind(host, layout)) === "raw";
    const found = verdict({ place: `the store (${device})`, intent, content, type: "LVM2_member", proven });
    if (found.kind === "conflict") return found.conflict;

    const activation =
      inactive(layout, active).length > 0
        ? [activate(`activate the volume group ${layout.volumeGroup}`, () => activateAll(machine, device))]
        : [];
    if (found.kind === "keep") return activation;

    const uuid = content.kind === "found" ? content.uuid : (intent?.uuid ?? newLvmUuid());
    const wanted: Intent = { version: 1, about: `volume group ${layout.volumeGroup} on ${device}`, uuid, phase: "begun" };
    const group = `the volume group ${layout.volumeGroup}`;
    const complete = noteIntent(machine, INTENT, { ...wanted, phase: "complete" }, `that ${group} is complete`);
    if (found.kind === "adopt") return [...activation, complete];
    return [
      ...(intent === undefined ? [noteIntent(machine, INTENT, wanted, `on the config partition that ${group} is about to be made`)] : []),
      ...(content.kind === "blank"
        ? [provision("make the store an LVM physical volume", () => createPhysicalVolume(host, device, uuid))]
        : []),
      provision(`make ${group} with ${layout.volumes.map(({ name }) => name).join(", ")}`, () => makeVolumes(machine, device)),
      complete,
    ];
  },
});

const INTENT = "volumes";

/** Makes only what does not exist: an interrupted run may have made a part of it. */
async function makeVolumes(machine: Machine, device: string): Promise<void> {
  const { host, layout } = machine;
  const name = layout.volumeGroup;
  if ((await volumeGroupOn(host, device)) === undefined) await createVolumeGroup(host, device, name);
  const group = await volumeGroupOn(host, device);
  if (group?.name !== name) {
    throw new ProblemError({
      code: "volume-group-differs",
      what: "the store belongs to another volume group",
      found: group?.name ?? "no group",
      expected: name,
      todo: "inspect with: pvs",
    });
  }
  const sizes = volumeExtents(layout.volumes, group.bytes, group.extentBytes, group.extents);
  for (const [volume, extents] of sizes) {
    if (!group.volumes.has(volume)) await createVolume(host, device, name, volume, extents);
  }
  await activateAll(machine, device);
}

/**
 * Extents of each volume, in the layout's order.
 *
 * @throws ProblemError when the group cannot hold them all, because the disk is too small for a node
 */
export function volumeExtents(
  layout: readonly VolumeLayout[],
  groupBytes: number,
  extentBytes: number,
  extents: number,
): ReadonlyMap<string, number> {
  const sizes = new Map(layout.map(({ name, size }) => [name, Math.floor(volumeBytes(size, groupBytes) / extentBytes)]));
  const wanted = [...sizes.values()].reduce((sum, count) => sum + count, 0);
  if (wanted <= extents) return sizes;
  throw new ProblemError({
    code: "store-too-small",
    what: "the store is too small for its volumes",
    found: mebibytes(extents * extentBytes),
    expected: `at least ${mebibytes(wanted * extentBytes)}`,
    todo: "give the VM a larger disk and boot again; nothing was made yet",
  });
}

function inactive({ volumes: all, volumeGroup }: Layout, active: ReadonlyMap<string, Mapping>): readonly VolumeLayout[] {
  return all.filter(({ name }) => !active.has(volumeMapping(volumeGroup, name)));
}

/** Starts no tool where all volumes are active: lvcreate(8) activates each one that it makes. */
async function activateAll({ host, layout }: Machine, device: string): Promise<void> {
  if (inactive(layout, await mappings(host)).length === 0) return;
  await activateVolumeGroup(host, device, layout.volumeGroup);
  const missing = inactive(layout, await mappings(host));
  if (missing.length === 0) return;
  throw new ProblemError({
    code: "volumes-missing",
    what: `volumes are missing from the volume group ${layout.volumeGroup}, which was complete`,
    found: `no ${missing.map(({ name }) => name).join(", no ")}`,
    expected: layout.volumes.map(({ name }) => name).join(", "),
    todo: `they are not made again; inspect with: lvs --all ${layout.volumeGroup}, and in /etc/lvm/archive of a rescue system`,
  });
}

/** The open store. @throws ProblemError while it is not open */
export async function storeDevice(
  { host, layout }: Pick<Machine, "host" | "layout">,
  active: ReadonlyMap<string, Mapping>,
): Promise<string> {
  const partition = await requirePartition(host, layout.partitions.store);
  const name = layout.mappings.store(partition.name);
  if (active.has(name)) return `/dev/mapper/${name}`;
  throw new ProblemError({
    code: "store-not-open",
    what: `the store ${partition.device} is not open`,
    expected: `/dev/mapper/${name}`,
    todo: "guestos-boot --unit store-key",
  });
}
