import { diskBytes } from "../../system/disks/block-devices.ts";
import type { Host } from "../../system/host.ts";
import { ProblemError } from "../../base/problem.ts";
import { addPartition, announcePartition, readPartitionTable } from "../../system/disks/sfdisk.ts";
import { BLANK_BYTES, contentOf, contentText } from "../../system/disks/signature.ts";

/** The partition's number. Hosts that inspect the disk from outside identify the partition by it. */
const STORE_NUMBER = 10;

/** If a disk's name ends in a digit, the kernel puts a "p" before the number (nvme0n1p10, but vda10). */
export function storePartitionName(disk: string): string {
  return `${disk}${/\d$/.test(disk) ? "p" : ""}${STORE_NUMBER}`;
}

/**
 * Zeroes both ends of the range while it belongs to no partition, and only then makes the partition. So data of an earlier owner of the
 * disk is never taken for a store, nor found beside it: ZFS, MD and others keep labels at the end, by which udev's rules would claim the
 * partition. A power cut in between only repeats the zeroing. A run that was killed before it told the kernel leaves the partition in the
 * table alone.
 */
export async function makeStorePartition(host: Host, disk: string, label: string): Promise<void> {
  const device = `/dev/${disk}`;
  const table = await readPartitionTable(host, device);
  if (table.partitions.some((partition) => partition.label === label)) {
    await announcePartition(host, device, STORE_NUMBER);
    await requireBlank(host, `/dev/${storePartitionName(disk)}`, label);
    return;
  }
  const end = await usableEnd(host, disk, table.sectorBytes);
  if (end - table.end < SMALLEST) {
    throw new ProblemError({
      code: "no-room-for-partition",
      what: `there is not enough space for the partition ${label} on ${device}`,
      found: `${Math.max(0, end - table.end)} bytes after the other partitions`,
      expected: `at least ${SMALLEST}, plus the size of its volumes`,
      todo: "give the VM a larger disk and boot again; nothing was made yet",
    });
  }
  await clearEnds(host, device, { start: table.end, end }, BLANK_BYTES);
  await addPartition(host, device, { number: STORE_NUMBER, label, start: table.end });
  await announcePartition(host, device, STORE_NUMBER);
}

/** Bytes: the LUKS2 header and as much again. The size of the volumes is checked once the store exists (`volumeExtents`). */
const SMALLEST = 2 * BLANK_BYTES;

/** UEFI specification, 5.3.1: the disk ends with the backup GPT: at least 16 KiB of entries, and one sector of header. */
const BACKUP_ENTRIES = 16 * 1024;

/** The first byte behind the range for partitions, with the backup GPT at the end of the disk, or moved there. */
async function usableEnd(host: Host, disk: string, sectorBytes: number): Promise<number> {
  return (await diskBytes(host, disk)) - BACKUP_ENTRIES - sectorBytes;
}

/**
 * Durably zeroes `bytes` at each end of a range, or all of a shorter range. It destroys the content: the caller must know that the range is
 * unused.
 */
export async function clearEnds(
  host: Host,
  device: string,
  { start, end }: { readonly start: number; readonly end: number },
  bytes: number,
): Promise<void> {
  const zeros = new Uint8Array(bytes);
  const middle = Math.min(start + bytes, end);
  await host.writeInPlace(device, zeros.subarray(0, middle - start), start);
  const last = Math.max(middle, end - bytes);
  if (last < end) await host.writeInPlace(device, zeros.subarray(0, end - last), last);
}

/** The kernel did not know the partition when its encryption was planned, so it could not be inspected then. */
async function requireBlank(host: Host, device: string, label: string): Promise<void> {
  const content = await contentOf(host, device, { mustBeZero: true });
  if (content.kind === "blank") return;
  throw new ProblemError({
    code: "partition-not-empty",
    what: `the partition table had ${device} (${label}) already, and it is not empty; it was not changed`,
    found: contentText(content),
    expected: "nothing, as an interrupted run leaves it",
    todo: "run guestos-boot again: the kernel knows the partition now, and what it holds can be judged",
  });
}
