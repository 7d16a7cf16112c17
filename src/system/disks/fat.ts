/** The facts that the first sector of a FAT file system holds. */
export interface FatBootSector {
  /** Without padding; "" where there is none. */
  readonly label: string;
}

/** "No label" (Microsoft's FAT specification, 3.2). */
const NO_NAME = "NO NAME";

/**
 * Reads a boot sector by its numbers, as the kernel does (fs/fat/inode.c, fat_read_bpb). The text "FAT16" in it does not count: it may be
 * blank, and the specification says not to rely on it (3.2, BS_FilSysType). The signature at the end is required (3.1), although the kernel
 * does not check it. wipefs(8) removes it, and a wiped file system must not be recognised.
 *
 * @returns `undefined` when it is not FAT
 */
export function parseFatBootSector(sector: Uint8Array): FatBootSector | undefined {
  if (sector.length < 512) return undefined;
  const bytes = Buffer.from(sector);
  const sectorBytes = bytes.readUInt16LE(11);
  const [clusterSectors, fats, media] = [bytes.readUInt8(13), bytes.readUInt8(16), bytes.readUInt8(21)];
  const isSound =
    bytes.readUInt16LE(510) === 0xaa55 &&
    [512, 1024, 2048, 4096].includes(sectorBytes) &&
    [1, 2, 4, 8, 16, 32, 64, 128].includes(clusterSectors) &&
    bytes.readUInt16LE(14) !== 0 &&
    fats !== 0 &&
    (media === 0xf0 || media >= 0xf8);
  const isFat32 = bytes.readUInt16LE(22) === 0;
  if (!isSound || (isFat32 && bytes.readUInt32LE(36) === 0)) return undefined;
  const at = isFat32 ? 66 : 38;
  // BS_BootSig: only then do serial number, label and type follow.
  const label = bytes.readUInt8(at) === 0x29 ? bytes.toString("latin1", at + 5, at + 16).replace(/[\0 ]+$/, "") : "";
  return { label: label === NO_NAME ? "" : label };
}
