/**
 * CRC-32C (Castagnoli), as ext4 stores it for its superblock: the final register, not inverted (crc32c_le of the kernel; RFC 3720, appendix
 * B.4, inverts it).
 */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (POLYNOMIAL & -(crc & 1));
  }
  return crc >>> 0;
}

/** 0x1EDC6F41, with its bits reversed. */
const POLYNOMIAL = 0x82f63b78;
