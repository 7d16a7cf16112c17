import * as z from "../../base/schema.ts";
import type { Host } from "../host.ts";

const Dump = z.object({
  partitiontable: z.object({
    sectorsize: z._default(z.number(), 512),
    partitions: z._default(
      z.array(z.object({ start: z.number(), size: z.number(), name: z._default(z.string(), ""), uuid: z.optional(z.string()) })),
      [],
    ),
  }),
});

const MIB = 1024 * 1024;

export interface TablePartition {
  readonly label: string;
  /** Bytes from the beginning of the disk. */
  readonly start: number;
  readonly bytes: number;
  /** In lower case. Only a GPT has them. */
  readonly uuid?: string;
}

/** The table on the disk. The kernel may still use an older one. */
export interface PartitionTable {
  /** The first byte behind all partitions, rounded up to a MiB as sfdisk does by default. */
  readonly end: number;
  readonly partitions: readonly TablePartition[];
  /** Size of the disk's own sectors. */
  readonly sectorBytes: number;
}

export async function readPartitionTable(host: Host, disk: string): Promise<PartitionTable> {
  const { stdout } = await host.run({ program: "sfdisk", args: ["--json", disk] });
  return tableIn(stdout);
}

/** The same, from sfdisk's JSON. */
export function tableIn(json: string): PartitionTable {
  const { sectorsize, partitions } = Dump.parse(JSON.parse(json)).partitiontable;
  const end = Math.max(MIB, ...partitions.map(({ start, size }) => (start + size) * sectorsize));
  return {
    end: Math.ceil(end / MIB) * MIB,
    partitions: partitions.map(({ name, start, size, uuid }) => ({
      ...{ label: name, start: start * sectorsize, bytes: size * sectorsize },
      ...(uuid === undefined ? {} : { uuid: uuid.toLowerCase() }),
    })),
    sectorBytes: sectorsize,
  };
}

export interface NewPartition {
  readonly number: number;
  readonly label: string;
  /** Bytes from the beginning of the disk. */
  readonly start: number;
}

/**
 * Adds one partition that takes the rest of the disk to the table on the disk, while other partitions are mounted. `announcePartition` then
 * tells the kernel. Works after the disk was enlarged: sfdisk then moves the backup GPT to the new end.
 *
 * --lock takes the BSD lock that udev honours (systemd.io/BLOCK_DEVICE_LOCKING), so that udev does not probe half a table.
 */
export async function addPartition(host: Host, disk: string, { number, label, start }: NewPartition): Promise<void> {
  await host.run({
    program: "sfdisk",
    args: ["--append", "--no-reread", "--no-tell-kernel", "--lock=yes", "--wipe-partitions", "never", disk],
    // The size is left out: all free space behind the start. The start is in MiB, because a number without a unit counts sectors.
    input: `${number} : start=${start / MIB}MiB, type=${LINUX_DATA}, name=${label}\n`,
    todo: `inspect the table, nothing of it is lost: sfdisk --list ${disk}`,
  });
}

/**
 * Makes a partition as large as the disk allows, and moves the copy of the table to the disk's end. Nothing of the disk is in use;
 * `readTableAgain` then tells the kernel.
 */
export async function growPartition(host: Host, disk: string, number: number): Promise<void> {
  await host.run({
    program: "sfdisk",
    args: [
      "--partno",
      String(number),
      "--no-reread",
      "--no-tell-kernel",
      "--lock=yes",
      "--wipe",
      "never",
      "--wipe-partitions",
      "never",
      disk,
    ],
    input: ", +\n",
    todo: `inspect the table, nothing of it is lost: sfdisk --list ${disk}`,
  });
}

/**
 * Tells the kernel of a partition in the table. sfdisk itself can only ask it to read the whole table again, which it refuses while one is
 * mounted.
 */
export async function announcePartition(host: Host, disk: string, number: number): Promise<void> {
  await host.run({ program: "partx", args: ["--add", "--nr", String(number), disk] });
}

/** "Linux filesystem data". The LUKS header identifies the content. */
const LINUX_DATA = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
