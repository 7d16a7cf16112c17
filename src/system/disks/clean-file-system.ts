import { crc32c } from "./crc32c.ts";
import type { Host } from "../host.ts";

/**
 * Whether the superblock of an unmounted ext4 file system has a correct checksum and says that it was left in order. e2fsck -p ends at once
 * on such a file system (e2fsck(8)), so starting it gains nothing. The kernel checks the rest as it mounts: descriptors, journal, features.
 *
 * @returns false for everything that is not certainly clean, also for other file systems
 * @throws when the device cannot be read
 */
export async function saysCleanExt4(host: Host, device: string): Promise<boolean> {
  return isCleanExt4(Buffer.from((await host.readAt(device, EXT4_SUPERBLOCK, EXT4_SUPERBLOCK_BYTES)) ?? []));
}

/** The same, for a superblock. Offsets and bits: Documentation/filesystems/ext4/super.rst. */
export function isCleanExt4(superblock: Buffer): boolean {
  if (superblock.length < EXT4_SUPERBLOCK_BYTES || superblock.readUInt16LE(0x38) !== 0xef53) return false;
  const features = { incompat: superblock.readUInt32LE(0x60), readOnly: superblock.readUInt32LE(0x64) };
  // Without a checksum, or with an unknown one, the rest may be anything.
  if (!hasChecksum(superblock) || !isChecksumRight(superblock)) return false;
  const mounts = { since: superblock.readUInt16LE(0x34), most: superblock.readInt16LE(0x36) };
  return (
    // Valid, without errors, without orphans in recovery.
    superblock.readUInt16LE(0x3a) === 1 &&
    // In use at a power cut: its journal must be replayed, or inodes that were deleted while open must be freed.
    (features.incompat & NEEDS_RECOVERY) === 0 &&
    (features.readOnly & ORPHANS_PRESENT) === 0 &&
    superblock.readUInt32LE(0xe8) === 0 &&
    // The kernel has counted errors since the last check.
    superblock.readUInt32LE(0x194) === 0 &&
    // Due for a check, by mounts or, whatever the clock says, by time. Both are off unless they are enabled (tune2fs(8)).
    (mounts.most <= 0 || mounts.since < mounts.most) &&
    superblock.readUInt32LE(0x44) === 0
  );
}

function hasChecksum(superblock: Buffer): boolean {
  // 1: crc32c, the only defined one.
  return (superblock.readUInt32LE(0x64) & METADATA_CSUM) !== 0 && superblock[0x175] === 1;
}

function isChecksumRight(superblock: Buffer): boolean {
  return crc32c(superblock.subarray(0, 0x3fc)) === superblock.readUInt32LE(0x3fc);
}

/**
 * The superblock of an ext4 whose checksum does not match, as after a power cut in the middle of its write.
 *
 * @returns undefined for every other device
 */
export async function tornSuperblock(host: Host, device: string): Promise<Buffer | undefined> {
  const superblock = Buffer.from((await host.readAt(device, EXT4_SUPERBLOCK, EXT4_SUPERBLOCK_BYTES)) ?? []);
  if (superblock.length < EXT4_SUPERBLOCK_BYTES || superblock.readUInt16LE(0x38) !== 0xef53) return undefined;
  return hasChecksum(superblock) && !isChecksumRight(superblock) ? superblock : undefined;
}

export const EXT4_SUPERBLOCK = 1024;
const EXT4_SUPERBLOCK_BYTES = 1024;
const NEEDS_RECOVERY = 0x4;
const METADATA_CSUM = 0x400;
const ORPHANS_PRESENT = 0x10000;

/**
 * Whether an unmounted FAT16 or FAT32 says that it was left in order. Linux has its mark in the boot sector, firmware and other systems in
 * the second entry of its table. Both marks stay set from a mount for writing until the unmount.
 *
 * fsck.vfat(8) would read both tables and all folders each time, so it runs only where it may be needed.
 *
 * @returns false for everything that is not certainly clean, also for FAT12, which has no such entry
 * @throws when the device cannot be read
 */
export async function saysCleanFat(host: Host, device: string): Promise<boolean> {
  const layout = fatLayout(Buffer.from((await host.readAt(device, 0, FAT_BOOT_SECTOR)) ?? []));
  if (layout === undefined || layout.dirty) return false;
  const entry = Buffer.from((await host.readAt(device, layout.secondEntry, layout.clean.length)) ?? []);
  return entry.length === layout.clean.length && layout.clean.every((bits, index) => ((entry[index] ?? 0) & bits) === bits);
}

interface FatLayout {
  readonly dirty: boolean;
  /** Byte offset of the table's second entry. */
  readonly secondEntry: number;
  /** Its bits that are set while the file system is in order: "clean shutdown" and "no disk errors". */
  readonly clean: readonly number[];
}

/**
 * Parsed from the boot sector; `undefined` for anything but FAT16 or FAT32. Offsets, and the bits of the second entry: Microsoft's FAT32
 * File System Specification 1.03, "FAT Type Determination" and "FAT Data Structure". The byte that Linux marks, and FAT_STATE_DIRTY:
 * include/uapi/linux/msdos_fs.h.
 */
function fatLayout(sector: Buffer): FatLayout | undefined {
  if (sector.length < FAT_BOOT_SECTOR || sector.readUInt16LE(510) !== 0xaa55) return undefined;
  const sectorBytes = sector.readUInt16LE(11);
  const [clusterSectors = 0, tables = 0] = [sector[13], sector[16]];
  if (![512, 1024, 2048, 4096].includes(sectorBytes) || clusterSectors === 0 || tables === 0) return undefined;
  const reserved = sector.readUInt16LE(14);
  const secondEntry = reserved * sectorBytes;
  const tableSectors = sector.readUInt16LE(22);
  // A table length of zero here distinguishes FAT32, for Linux and for fsck.vfat.
  if (tableSectors === 0) {
    return { dirty: ((sector[0x41] ?? 0) & FAT_STATE) !== 0, secondEntry: secondEntry + 4, clean: [0, 0, 0, 0x0c] };
  }
  const sectors = sector.readUInt16LE(19) || sector.readUInt32LE(32);
  const rootSectors = Math.ceil((sector.readUInt16LE(17) * 32) / sectorBytes);
  const clusters = Math.floor((sectors - reserved - tables * tableSectors - rootSectors) / clusterSectors);
  if (clusters < FEWEST_CLUSTERS_OF_FAT16) return undefined;
  return { dirty: ((sector[0x25] ?? 0) & FAT_STATE) !== 0, secondEntry: secondEntry + 2, clean: [0, 0xc0] };
}

const FAT_BOOT_SECTOR = 512;
/** 1: in use. 2: other systems ask for a full read. */
const FAT_STATE = 0x03;
const FEWEST_CLUSTERS_OF_FAT16 = 4085;
