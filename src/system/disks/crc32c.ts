/**
 * CRC-32C (Castagnoli), as ext4 keeps it of its superblock: the register as it is at the end, not inverted
 * (crc32c_le of the kernel; RFC 3720, appendix B.4, inverts it).
 */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (POLYNOMIAL & -(crc & 1));
  }
  return crc >>> 0;
}

/** 0x1EDC6F41, its bits reversed. */
const POLYNOMIAL = 0x82f63b78;
