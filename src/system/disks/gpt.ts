import * as z from "../../base/schema.ts";
import { concluded } from "../concluded.ts";
import type { Host } from "../host.ts";

/**
 * Partition names by number, from the GPT on the disk (UEFI Specification 2.10, section 5.3).
 *
 * sysfs shows names only of partitions that the kernel itself read from a table. It has none for partitions that were announced by ioctl,
 * as partx does after one was added to a disk in use.
 *
 * @returns an empty map when there is no GPT
 */
export async function gptNames(host: Host, disk: string): Promise<ReadonlyMap<number, string>> {
  const shape = z.array(z.tuple([z.number(), z.string()]));
  const names = await concluded(host, { name: "partition names", args: [disk], shape }, async (asked) => [
    ...(await readNames(asked, disk)),
  ]);
  return new Map(names);
}

async function readNames(host: Host, disk: string): Promise<ReadonlyMap<number, string>> {
  const block = Number((await host.readText(`/sys/class/block/${disk}/queue/logical_block_size`)) ?? 512);
  const header = Buffer.from((await host.readAt(`/dev/${disk}`, block, HEADER_BYTES)) ?? []);
  if (header.length < HEADER_BYTES || header.toString("latin1", 0, 8) !== "EFI PART") return new Map();
  const start = Number(header.readBigUInt64LE(72)) * block;
  const count = Math.min(header.readUInt32LE(80), MOST_ENTRIES);
  const size = Math.min(header.readUInt32LE(84), LARGEST_ENTRY);
  return namesIn(Buffer.from((await host.readAt(`/dev/${disk}`, start, count * size)) ?? []), size);
}

/** The same, from the array of partition entries. */
export function namesIn(entries: Buffer, size: number): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (let number = 1; size >= SMALLEST_ENTRY && number * size <= entries.length; number += 1) {
    const entry = entries.subarray((number - 1) * size, number * size);
    // An entry of type zero is unused.
    if (entry.subarray(0, 16).every((byte) => byte === 0)) continue;
    names.set(number, entry.toString("utf16le", 56, 128).replace(/\0.*$/s, ""));
  }
  return names;
}

const HEADER_BYTES = 92;
const SMALLEST_ENTRY = 128;
/** The disk declares these numbers itself. They are bounded, because a damaged table may hold any value. */
const MOST_ENTRIES = 1024;
const LARGEST_ENTRY = 4096;
