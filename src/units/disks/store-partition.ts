import { diskBytes } from "../../system/disks/block-devices.ts";
import type { Host } from "../../system/host.ts";
import { ProblemError } from "../../base/problem.ts";
import { addPartition, announcePartition, readPartitionTable } from "../../system/disks/sfdisk.ts";
import { BLANK_BYTES, contentOf, contentText } from "../../system/disks/signature.ts";

/** Its number in the layout; hosts that look from outside know it by that. */
const STORE_NUMBER = 10;

/** The kernel puts a "p" between a disk's name that ends in a digit and the number (nvme0n1p10, vda10). */
export function storePartitionName(disk: string): string {
  return `${disk}${/\d$/.test(disk) ? "p" : ""}${STORE_NUMBER}`;
}

/**
 * Zeroes both ends of the place first, while it belongs to no partition, and only then makes the partition: whatever an earlier owner
 * of the disk left there can so never be taken for a store, nor be found beside it (ZFS, MD and others keep labels at the end, and
 * udev's rules would take the partition for theirs). A power cut in between only repeats the zeroing. A run
 * that was killed before the kernel was told leaves the partition in the table alone.
 */
export async function makeStorePartition(host: Host, disk: string, label: string): Promise<void> {
  const device = `/dev/${disk}`;
  const table = await readPartitionTable(host, device);
  if (table.labels.includes(label)) {
    await announcePartition(host, device, STORE_NUMBER);
    await requireBlank(host, `/dev/${storePartitionName(disk)}`, label);
    return;
  }
  const end = await usableEnd(host, disk, table.sectorBytes);
  if (end - table.end < SMALLEST) {
    throw new ProblemError({
      code: "no-room-for-partition",
      what: `there is no room for the partition ${label} on ${device}`,
      found: `${Math.max(0, end - table.end)} bytes behind the other partitions`,
      expected: `at least ${SMALLEST}, and as many more as its volumes take`,
      todo: "give the VM a larger disk and boot again; nothing was made yet",
    });
  }
  await clearEnds(host, device, { start: table.end, end }, BLANK_BYTES);
  await addPartition(host, device, { number: STORE_NUMBER, label, start: table.end });
  await announcePartition(host, device, STORE_NUMBER);
}

/** Bytes: the header of LUKS2 and as much again. What the volumes take is known once the store is there (`volumeExtents`). */
const SMALLEST = 2 * BLANK_BYTES;

/** UEFI specification, 5.3.1: the disk ends with the backup GPT, which is at least 16 KiB of entries and one sector of header. */
const BACKUP_ENTRIES = 16 * 1024;

/** The byte behind the last that a partition may have, where the backup GPT is at the end of the disk, or is moved there. */
async function usableEnd(host: Host, disk: string, sectorBytes: number): Promise<number> {
  return (await diskBytes(host, disk)) - BACKUP_ENTRIES - sectorBytes;
}

/**
 * Zeroes that many bytes at each end of a range, durably; all of a shorter one. Destroys what is there: the caller knows that nobody
 * has put anything into it.
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

/** A partition that the kernel did not know could not be inspected when it was planned to encrypt it. */
async function requireBlank(host: Host, device: string, label: string): Promise<void> {
  const content = await contentOf(host, device, { mustBeZero: true });
  if (content.kind === "blank") return;
  throw new ProblemError({
    code: "partition-not-empty",
    what: `the partition table had ${device} (${label}) already, and it is not empty; it was not touched`,
    found: contentText(content),
    expected: "nothing, as an interrupted run leaves it",
    todo: "run guestos-boot again: the kernel knows the partition now, and what it holds can be judged",
  });
}
