/** A request as it is to be logged. */
export interface Logged {
  readonly sector?: number;
  /** One sector that begins with this text. */
  readonly data?: string;
  /** For a discard, which has no data. */
  readonly sectors?: number;
  readonly flush?: boolean;
  readonly fua?: boolean;
  readonly discard?: boolean;
  readonly metadata?: boolean;
  readonly mark?: string;
  /** Instead of what the above comes to. */
  readonly flags?: bigint;
  readonly dataLength?: bigint;
}

interface LogOptions {
  readonly sectorSize?: number;
  readonly version?: bigint;
  /** The number of entries that the superblock tells of; all when absent. */
  readonly counted?: number;
}

/** A dm-log-writes log, written after the kernel's documents and not after the reader that is tested with it. */
export function writeLog(requests: readonly Logged[], { sectorSize = 512, version = 1n, counted }: LogOptions = {}): Buffer {
  const superblock = Buffer.alloc(Math.max(sectorSize, 28));
  superblock.writeBigUInt64LE(0x6a736677736872n, 0);
  superblock.writeBigUInt64LE(version, 8);
  superblock.writeBigUInt64LE(BigInt(counted ?? requests.length), 16);
  superblock.writeUInt32LE(sectorSize, 24);
  return Buffer.concat([superblock, ...requests.map((request) => logged(request, sectorSize))]);
}

function logged({ sector = 0, data, sectors, mark, ...request }: Logged, sectorSize: number): Buffer {
  const count = sectors ?? (data === undefined ? 0 : 1);
  const bit = (on: boolean | undefined, value: bigint): bigint => (on === true ? value : 0n);
  const flags =
    bit(request.flush, 1n) | bit(request.fua, 2n) | bit(request.discard, 4n) | bit(mark !== undefined, 8n) | bit(request.metadata, 16n);
  const entry = Buffer.alloc(sectorSize);
  entry.writeBigUInt64LE(BigInt(sector), 0);
  entry.writeBigUInt64LE(BigInt(count), 8);
  entry.writeBigUInt64LE(request.flags ?? flags, 16);
  entry.writeBigUInt64LE(request.dataLength ?? BigInt(mark?.length ?? 0), 24);
  if (mark !== undefined) entry.write(mark, 32, "utf8");
  const content = Buffer.alloc(request.discard === true ? 0 : count * sectorSize);
  if (data !== undefined) content.write(data, "latin1");
  return Buffer.concat([entry, content]);
}
