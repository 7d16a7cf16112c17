import { z } from "zod";
import type { Host } from "./host.ts";

const Dump = z.object({
  partitiontable: z.object({
    label: z.string(),
    sectorsize: z.number().default(512),
    partitions: z.array(z.object({ start: z.number(), size: z.number() })).default([]),
  }),
});

const MIB = 1024 * 1024;

/** First byte behind all partitions, on a MiB boundary as sfdisk aligns by itself. */
export async function endOfPartitions(host: Host, disk: string): Promise<number> {
  const { stdout } = await host.run({ program: "sfdisk", args: ["--json", disk] });
  return endIn(stdout);
}

/** The same from sfdisk's JSON. */
export function endIn(json: string): number {
  const { sectorsize, partitions } = Dump.parse(JSON.parse(json)).partitiontable;
  const end = Math.max(MIB, ...partitions.map(({ start, size }) => (start + size) * sectorsize));
  return Math.ceil(end / MIB) * MIB;
}

export interface NewPartition {
  readonly number: number;
  readonly label: string;
  /** Bytes from the beginning of the disk. */
  readonly start: number;
}

/**
 * Adds one partition that takes the rest of the disk, and tells the kernel, while other partitions of the disk are
 * mounted. Works after the disk was enlarged: sfdisk then moves the backup GPT to the new end.
 *
 * --lock takes the BSD lock that udev honours (systemd.io/BLOCK_DEVICE_LOCKING), so that udev does not probe half a table.
 */
export async function addPartition(host: Host, disk: string, { number, label, start }: NewPartition): Promise<void> {
  await host.run({
    program: "sfdisk",
    args: ["--append", "--no-reread", "--lock=yes", "--wipe-partitions", "never", disk],
    // A start with a unit is in bytes of that unit; the size is left out: all that is free behind it.
    input: `${number} : start=${start / MIB}MiB, type=${LINUX_DATA}, name=${label}\n`,
    todo: `look at the table, nothing of it is lost: sfdisk --list ${disk}`,
  });
}

/** "Linux filesystem data"; what is in it shows by the LUKS header. */
const LINUX_DATA = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
