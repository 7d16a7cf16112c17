import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/**
 * A reader of the dm-log-writes format: every write to a block device, in the order in which they completed.
 *
 * The format is that of the kernel (drivers/md/dm-log-writes.c; Documentation/admin-guide/device-mapper/log-writes.rst) and of
 * QEMU's `blklogwrites` driver (block/blklogwrites.c). All numbers are little-endian. The first sector is the superblock; then
 * comes for each request one sector that begins with its entry, and behind it the data that were written. A discard has
 * no data. A mark has its text in the entry's own sector.
 */
export interface WriteLog extends Disposable {
  /** The unit of all that is logged, in bytes. */
  readonly sectorSize: number;
  readonly entries: readonly LogEntry[];
  /** What an entry wrote, or a part of it; zeros for a discard. */
  readonly data: (entry: LogEntry, from?: number, length?: number) => Uint8Array;
}

export interface LogEntry {
  /** Its place in the log, from 0. */
  readonly index: number;
  /** Where on the device, in bytes. */
  readonly offset: number;
  /** How much, in bytes; 0 for a bare flush and for a mark. */
  readonly length: number;
  /** Everything that was logged before it is durable. The entry's own data, if there are any, came after the flush. */
  readonly flush: boolean;
  /** Its own data were durable when it completed, whatever else was not. */
  readonly fua: boolean;
  readonly discard: boolean;
  /** The text of a mark, which writes nothing. */
  readonly mark?: string;
  /** Where its data are in the log, in bytes. */
  readonly dataAt: number;
}

const MAGIC = 0x6a736677736872n;
const VERSION = 1n;
const ENTRY_BYTES = 32;
/** METADATA only says what the data are for, and only the kernel sets it. */
const FLAG = { flush: 1n, fua: 2n, discard: 4n, mark: 8n, metadata: 16n };
const KNOWN = Object.values(FLAG).reduce((all, flag) => all | flag);

/** What is wrong with a log, and where. */
export class LogError extends Error {
  override readonly name = "LogError";
}

/**
 * Opens a log and reads all its entries; their data are read when they are asked for.
 *
 * The superblock's count is as old as the last flush. What was logged after it is read too, up to the end of the file, or the
 * first sector of zeros: the log has to have been new when it was begun.
 *
 * @throws LogError when it is not such a log, or its entries cannot be right
 */
export function openWriteLog(path: string): WriteLog {
  const file = openSync(path, "r");
  try {
    const size = fstatSync(file).size;
    const read = (at: number, length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      const found = readSync(file, bytes, 0, length, at);
      if (found < length) throw new LogError(`${path} ends at ${at + found}, within what should end at ${at + length}`);
      return bytes;
    };
    const { sectorSize, count } = superblock(path, size === 0 ? Buffer.alloc(0) : read(0, Math.min(size, ENTRY_BYTES)));
    const entries: LogEntry[] = [];
    let at = sectorSize;
    while (entries.length < count || at + ENTRY_BYTES <= size) {
      const counted = entries.length < count;
      const entry = parsed(path, entries.length, at, read(at, counted ? sectorSize : Math.min(sectorSize, size - at)), sectorSize);
      if (entry === undefined && counted) throw new LogError(`${path} has ${entries.length} of its ${count} entries`);
      const end = entry === undefined ? at : entry.dataAt + (entry.discard ? 0 : entry.length);
      if (entry === undefined || (end > size && !counted)) break;
      if (end > size) throw new LogError(`${path} ends within entry ${entry.index}`);
      entries.push(entry);
      at = end;
    }
    return {
      sectorSize,
      entries,
      data: (entry, from = 0, length = entry.length - from) => (entry.discard ? new Uint8Array(length) : read(entry.dataAt + from, length)),
      [Symbol.dispose]: () => closeSync(file),
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

function superblock(path: string, bytes: Buffer): { readonly sectorSize: number; readonly count: number } {
  if (bytes.length < ENTRY_BYTES || bytes.readBigUInt64LE(0) !== MAGIC) {
    throw new LogError(`${path} is no dm-log-writes log; one that was never flushed has no superblock yet`);
  }
  const version = bytes.readBigUInt64LE(8);
  if (version !== VERSION) throw new LogError(`${path} has version ${version}, not ${VERSION}`);
  const sectorSize = bytes.readUInt32LE(24);
  if (sectorSize < 512 || (sectorSize & (sectorSize - 1)) !== 0) throw new LogError(`${path} has sectors of ${sectorSize} bytes`);
  return { sectorSize, count: Number(bytes.readBigUInt64LE(16)) };
}

/** @returns undefined for zeros, where nothing was written */
function parsed(path: string, index: number, at: number, bytes: Buffer, sectorSize: number): LogEntry | undefined {
  const [sector, sectors, flags, dataLength] = [0, 8, 16, 24].map((field) => bytes.readBigUInt64LE(field)) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  if (sector === 0n && sectors === 0n && flags === 0n) return undefined;
  if ((flags & ~KNOWN) !== 0n) throw new LogError(`${path}: entry ${index} at ${at} has flags 0x${flags.toString(16)}`);
  const has = (flag: bigint): boolean => (flags & flag) !== 0n;
  if (has(FLAG.mark) && dataLength > BigInt(sectorSize - ENTRY_BYTES)) throw new LogError(`${path}: the mark ${index} is too long`);
  const offset = sector * BigInt(sectorSize);
  const length = has(FLAG.mark) ? 0n : sectors * BigInt(sectorSize);
  if (offset + length > BigInt(Number.MAX_SAFE_INTEGER)) throw new LogError(`${path}: entry ${index} at ${at} writes beyond any disk`);
  return {
    ...{ index, offset: Number(offset), length: Number(length), dataAt: at + sectorSize },
    ...{ flush: has(FLAG.flush), fua: has(FLAG.fua), discard: has(FLAG.discard) },
    ...(has(FLAG.mark) ? { mark: bytes.subarray(ENTRY_BYTES, ENTRY_BYTES + Number(dataLength)).toString("utf8") } : {}),
  };
}
