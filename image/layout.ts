import type { LayoutName } from "./options.ts";
import type { VerifiedRoot } from "./verity.ts";

export interface Partition {
  readonly number: number;
  readonly name: string;
  /** GPT partition UUID: the same in every image, as the kernel command line and the host's tools count on. */
  readonly uuid: string;
  /** GPT type UUID. */
  readonly type: string;
  readonly startMiB: number;
  readonly sizeMiB: number;
}

/** Type UUIDs: UEFI specification 2.10, section 5.3.3 (ESP); Discoverable Partitions Specification (Linux generic data); Linux LVM. */
const ESP = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
const LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
const LVM = "E6D6D379-F507-44C2-A23C-238F2A3DF928";
const DISK_UUID = "2B1A4E52-7A4B-4C6E-9C0D-6E1F0B5A7D10";

const TYPES: Readonly<Record<string, string>> = { esp: ESP, hostlvm: LVM };

export type Size = Readonly<Record<LayoutName, number>>;

const BOOT: Size = { lab: 160, prod: 1024 };
const ROOT: Size = { lab: 768, prod: 10_240 };
const VAR: Size = { lab: 384, prod: 10_240 };
/** Of a root partition, from its end: the hash tree of the file system before it. That of `prod` begins where IC-OS has it. */
const HASH_TREE: Size = { lab: 16, prod: 128 };

/** Name, partition UUID and size in MiB, in the order of the disk. UUIDs and the sizes of `prod` are those of IC-OS (docs/image.md). */
const TABLE: readonly (readonly [name: string, uuid: string, size: Size])[] = [
  ["esp", "B78084E2-3363-1346-8C25-D426F26B8928", { lab: 32, prod: 100 }],
  ["grub", "6788E4CF-F456-104E-9A34-A2C58CFB0EE6", { lab: 32, prod: 100 }],
  ["config", "A5BA3816-BEAA-D74D-993E-CFA5AA6BA1F6", { lab: 64, prod: 100 }],
  ["A_boot", "DDF618FE-7244-B446-A175-3296E6B9D02E", BOOT],
  ["A_root", "7C0A626E-E5EA-E543-B5C5-300EB8304DB7", ROOT],
  ["A_var", "22D2F5A6-1E39-D247-81CF-90C95C113E21", VAR],
  ["B_boot", "D5214E4F-F7B0-B945-9A9B-52B9188DF4C5", BOOT],
  ["B_root", "A78BC3A8-376C-054A-96E7-3904B915D0C5", ROOT],
  ["B_var", "2237D1D1-CE96-584E-8EC5-8AE6661FAAE9", VAR],
];

/** The nine partitions of the shipped image, each on a MiB boundary, the first behind the 1 MiB that GPT and alignment take. */
export function partitionsOf(layout: LayoutName): readonly Partition[] {
  return laidOut(TABLE, layout);
}

/** The partitions of a table, one behind the other. */
export function laidOut(table: typeof TABLE, layout: LayoutName): readonly Partition[] {
  let startMiB = 1;
  return table.map(([name, uuid, size], index) => {
    const partition = { number: index + 1, name, uuid, type: TYPES[name] ?? LINUX, startMiB, sizeMiB: size[layout] };
    startMiB += partition.sizeMiB;
    return partition;
  });
}

/** A place on a disk: a partition, or a logical volume. */
export type Named = Pick<Partition, "name" | "uuid" | "startMiB" | "sizeMiB">;

/** @throws Error where there is none of that name */
export function partitionNamed<T extends Named>(partitions: readonly T[], name: string): T {
  const found = partitions.find((partition) => partition.name === name);
  if (found === undefined) throw new Error(`no partition ${name}`);
  return found;
}

/** Bytes of the file system in a root partition; the hash tree is behind it. */
export function rootBytes(layout: LayoutName): number {
  return (ROOT[layout] - HASH_TREE[layout]) * 1024 * 1024;
}

/** The size of the image: its partitions, and 1 MiB behind them for the backup GPT. */
export function diskMiB(partitions: readonly Partition[]): number {
  return partitions.reduce((sum, partition) => sum + partition.sizeMiB, 2);
}

/** The table as sfdisk reads it from standard input (sfdisk(8), "Named-fields format"). */
export function sfdiskScript(partitions: readonly Partition[]): string {
  const lines = partitions.map(
    ({ startMiB, sizeMiB, type, uuid, name }) => `start=${startMiB}MiB, size=${sizeMiB}MiB, type=${type}, uuid=${uuid}, name="${name}"`,
  );
  return ["label: gpt", `label-id: ${DISK_UUID}`, ...lines, ""].join("\n");
}

/** The kernel command line of a slot. Why each word is there: docs/image.md. */
export function kernelArguments(slot: "A" | "B", partitions: readonly Partition[], { hash, offset }: VerifiedRoot): string {
  const root = partitionNamed(partitions, `${slot}_root`);
  return argumentsFor(slot, [`root=PARTUUID=${root.uuid.toLowerCase()}`, `root_hash=${hash}`, `root_hash_offset=${offset}`]);
}

/**
 * @param slot of a system that has two; one that has not stays where it is when its kernel panics
 * @param root the words that name the root file system
 */
export function argumentsFor(slot: "A" | "B" | undefined, root: readonly string[]): string {
  return [
    ...root,
    "rootfstype=ext4",
    "ro",
    ...(slot === undefined ? [] : [`dfinity.system=${slot}`]),
    "console=tty0",
    "console=ttyS0",
    "quiet",
    ...(slot === undefined ? [] : ["panic=10"]),
    "fsck.mode=skip",
    "noresume",
    "systemd.gpt_auto=no",
    "systemd.condition_needs_update=no",
  ].join(" ");
}
