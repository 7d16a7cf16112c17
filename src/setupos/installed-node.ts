import type { InspectedDevice } from "./disk-contents.ts";
import { HOST_GROUP } from "./volumes.ts";

/** The volumes of a host (dfinity/ic, ic-os/hostos/volumes.csv). */
const VOLUMES = ["config", "A_boot", "A_root", "A_var", "B_boot", "B_root", "B_var"];
/** Of a machine for several guests: guestos0, guestos1, and so on. */
const GUEST = /^guestos\d*$/;
/** PARTUUIDs of every host's disk: esp, grub, hostlvm (dfinity/ic, ic-os/hostos/partitions.csv). */
const PARTITIONS = ["f46600e3-d0e6-4258-9607-e64b13cf7595", "1a7c28b7-efe0-4f17-9230-678cf2df8db2", "735a766a-2047-45c2-ab48-d5ec948de550"];

/** A node, or what is left of one, on some drives. */
export interface InstalledNode {
  readonly drives: readonly string[];
  /** What it does not have, in words. Nothing for a whole one. */
  readonly missing: readonly string[];
}

/** The node on these drives; `undefined` where there is no trace of one. */
export function installedNode(drives: readonly InspectedDevice[]): InstalledNode | undefined {
  const traced = drives.filter((drive) => nodeTraces(drive).length > 0);
  if (traced.length === 0) return undefined;
  const groups = drives.flatMap((drive) => [...layersOf(drive)].flatMap(({ content }) => hostGroup(content)));
  const volumes = groups.flatMap((group) => [...group.volumes.keys()]);
  const present = new Set(groups.map(({ own }) => own));
  const partitions = new Set(traced.flatMap((drive) => [...layersOf(drive)].flatMap(hostPartitions)));
  const absent = new Set(groups.flatMap(({ members }) => members.filter((member) => !present.has(member))));
  return {
    drives: traced.map(({ device }) => device.path),
    missing: [
      ...(groups.length === 0
        ? [`no volume group ${HOST_GROUP}`]
        : VOLUMES.filter((name) => !volumes.includes(name)).map((name) => `no volume ${name}`)),
      ...(groups.length > 0 && !volumes.some((name) => GUEST.test(name)) ? ["no volume guestos"] : []),
      ...(absent.size > 0 ? [`${absent.size} of the drives of its group`] : []),
      ...(PARTITIONS.every((uuid) => partitions.has(uuid)) ? [] : ["no boot partitions"]),
    ],
  };
}

/**
 * The traces of a node on a drive, in words that change when another one is installed there: LVM chooses new UUIDs for the drives that it
 * takes in, and counts each change of a group.
 */
export function nodeTraces(drive: InspectedDevice): readonly string[] {
  const layers = [...layersOf(drive)];
  const partitions = new Set(layers.flatMap(hostPartitions));
  return [
    ...[...partitions].map((uuid) => `partition ${uuid}`),
    ...layers.flatMap(({ content }) =>
      hostGroup(content).flatMap(({ uuid, changes, own, volumes }) => [
        `member ${own} of ${uuid}, change ${changes}`,
        ...[...volumes].map(([name, volume]) => `volume ${name} ${volume}`),
      ]),
    ),
  ];
}

/** UUIDs of a host's partitions, as the kernel sees them, or as the table has them. */
function hostPartitions({ device, content }: InspectedDevice): readonly string[] {
  const inTable = "value" in content ? content.value.partitionUuids : [];
  return [...inTable, ...(device.partitionUuid === undefined ? [] : [device.partitionUuid])].filter((uuid) => PARTITIONS.includes(uuid));
}

/** A device, and all that lies on it. */
export function* layersOf(device: InspectedDevice): Generator<InspectedDevice> {
  yield device;
  for (const child of device.children) yield* layersOf(child);
}

function hostGroup(content: InspectedDevice["content"]) {
  const group = "value" in content ? content.value.group : undefined;
  return group?.name === HOST_GROUP ? [group] : [];
}
