import { createHash } from "node:crypto";
import type { Host } from "../host.ts";

/** One of the two copies of a LUKS2 header: intact by the checksum that cryptsetup also trusts. */
export interface HeaderCopy {
  readonly uuid: string;
  /** Increases with each change of the header. */
  readonly sequence: bigint;
}

/** Both copies; a damaged one is `undefined`. */
export interface LuksHeader {
  readonly first: HeaderCopy | undefined;
  readonly second: HeaderCopy | undefined;
}

/** LUKS2 On-Disk Format Specification 1.1, section 2.1: the binary part of a header. The rest of its area is JSON. */
const BINARY_BYTES = 4096;
/** Table 2 there: the possible sizes of a header's area, and so the possible offsets of the second copy. */
const AREA_BYTES = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096].map((kibibytes) => kibibytes * 1024);

/**
 * Both copies of the LUKS2 header of a device. cryptsetup opens a device by either copy and repairs the other as it does. Where it does
 * not, the loss of one copy goes unnoticed until the other is lost too.
 */
export async function readLuksHeader(host: Host, device: string): Promise<LuksHeader> {
  const first = await copyAt(host, device, 0);
  for (const offset of AREA_BYTES) {
    const second = await copyAt(host, device, offset);
    if (second !== undefined) return { first, second };
  }
  return { first, second: undefined };
}

async function copyAt(host: Host, device: string, offset: number): Promise<HeaderCopy | undefined> {
  const binary = Buffer.from((await host.readAt(device, offset, BINARY_BYTES)) ?? []);
  const magic = offset === 0 ? "LUKS\xba\xbe" : "SKUL\xba\xbe";
  if (binary.length < BINARY_BYTES || binary.toString("latin1", 0, 6) !== magic || binary.readUInt16BE(6) !== 2) return undefined;
  const bytes = Number(binary.readBigUInt64BE(8));
  if (!AREA_BYTES.includes(bytes) || (offset !== 0 && bytes !== offset)) return undefined;
  const area = Buffer.from((await host.readAt(device, offset, bytes)) ?? []);
  return area.length === bytes ? copyIn(area) : undefined;
}

/** The same section: the sequence number at 16, the algorithm of the checksum at 72, the UUID at 168, the checksum at 448. */
function copyIn(area: Buffer): HeaderCopy | undefined {
  const text = (from: number, to: number): string => area.toString("latin1", from, to).replace(/\0.*$/s, "");
  // cryptsetup writes no other algorithm, but would read one. A copy that cannot be verified here is not called damaged.
  if (text(72, 104) === "sha256") {
    const stored = Buffer.from(area.subarray(448, 480));
    // It is computed with its own field zeroed.
    const cleared = Buffer.from(area).fill(0, 448, 512);
    if (!createHash("sha256").update(cleared).digest().equals(stored)) return undefined;
  }
  return { uuid: text(168, 208), sequence: area.readBigUInt64BE(16) };
}
