import type { DiskRange } from "../system/disks/fat-file.ts";
import type { Host } from "../system/host.ts";
import { ProblemError } from "../base/problem.ts";
import { GRUBENV_BYTES, SECTOR } from "./grubenv.ts";

/**
 * Writes a block so that GRUB finds either the old or the new state at every moment, whatever part has reached the disk. The write is in
 * place, with one sync, and read back. The file is on VFAT, where a rename is not atomic.
 *
 * Where both sectors change, the first one is written alone, ahead of both: it holds the boot state, and a disk may write the two in any
 * order. Only where no file of the right length exists is a new file written beside and renamed. It is then written once more in place,
 * because only the file's own sync after the rename makes its directory entry durable.
 *
 * @param before the current bytes of the file
 * @throws ProblemError when the content read back differs
 */
export async function writeGrubenv(host: Host, file: string, before: Uint8Array | undefined, block: Uint8Array): Promise<void> {
  if (before?.length !== GRUBENV_BYTES) {
    await host.writeFile(file, block, { mode: 0o644 });
  } else if (differ(before, block, 0, SECTOR) && differ(before, block, SECTOR, GRUBENV_BYTES)) {
    await host.writeInPlace(file, block.subarray(0, SECTOR));
  }
  await host.writeInPlace(file, block);
  requireWritten(file, await host.readBytes(file), block);
}

/**
 * The same for a block on a disk that no one has mounted: sector by sector, the one with the boot state first, each synced, and only those
 * that change. Its length stays.
 *
 * @param ranges where its bytes are, in order
 * @param before the current bytes
 * @throws ProblemError when the content read back differs
 */
export async function writeGrubenvOnDisk(
  host: Host,
  disk: string,
  ranges: readonly DiskRange[],
  before: Uint8Array,
  block: Uint8Array,
): Promise<void> {
  let done = 0;
  for (const { start, bytes } of ranges)
    for (let at = 0; at < bytes && done < block.length; at += SECTOR, done += SECTOR)
      if (differ(before, block, done, done + SECTOR)) await host.writeInPlace(disk, block.subarray(done, done + SECTOR), start + at);
  requireWritten(disk, await readRanges(host, disk, ranges, block.length), block);
}

/** The first `length` bytes of what is in those ranges of a disk; fewer when the disk ends before. */
export async function readRanges(host: Host, disk: string, ranges: readonly DiskRange[], length: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (const { start, bytes } of ranges) pieces.push((await host.readAt(disk, start, bytes)) ?? new Uint8Array());
  return Buffer.concat(pieces).subarray(0, length);
}

function requireWritten(file: string, found: Uint8Array | undefined, block: Uint8Array): void {
  if (found !== undefined && Buffer.compare(found, block) === 0) return;
  throw new ProblemError({
    code: "grubenv-not-written",
    what: "the boot loader's environment block is not what was just written",
    where: { file },
    found: found === undefined ? "no such file" : `${found.length} other bytes`,
    todo: "check for disk errors (dmesg); the machine may start another system than the one that is wanted",
  });
}

function differ(one: Uint8Array, two: Uint8Array, from: number, to: number): boolean {
  return Buffer.compare(one.subarray(from, to), two.subarray(from, to)) !== 0;
}
