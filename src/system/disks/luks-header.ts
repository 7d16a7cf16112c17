import { createHash } from "node:crypto";
import type { Host } from "../host.ts";

/** One of the two copies of a LUKS2 header: whole, by the checksum that cryptsetup trusts too. */
export interface HeaderCopy {
  readonly uuid: string;
  /** Rises with each change of the header. */
  readonly sequence: bigint;
}

/** The copies, each `undefined` where it is damaged. */
export interface LuksHeader {
  readonly first: HeaderCopy | undefined;
  readonly second: HeaderCopy | undefined;
}

/** LUKS2 On-Disk Format Specification 1.1, section 2.1: the binary part of a header. The rest of its area is JSON. */
const BINARY_BYTES = 4096;
/** Table 2 there: how large a header's area may be, and so where the second copy may stand. */
const AREA_BYTES = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096].map((kibibytes) => kibibytes * 1024);

/**
 * Both copies of the LUKS2 header of a device. cryptsetup opens a device by either, and mends the other as it does: where it
 * does not, nobody hears that only one is left, until that one is lost too.
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
  // cryptsetup makes no other, but would read it: what cannot be checked here is not called damaged.
  if (text(72, 104) === "sha256") {
    const stored = Buffer.from(area.subarray(448, 480));
    // It is taken with its own place zeroed.
    const cleared = Buffer.from(area).fill(0, 448, 512);
    if (!createHash("sha256").update(cleared).digest().equals(stored)) return undefined;
  }
  return { uuid: text(168, 208), sequence: area.readBigUInt64BE(16) };
}
