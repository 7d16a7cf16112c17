import { ProblemError } from "../../base/problem.ts";
import * as z from "../../base/schema.ts";
import { concluded } from "../concluded.ts";
import type { Host } from "../host.ts";

const SignatureType = z.enum(["crypto_LUKS", "ext4", "xfs", "swap", "LVM2_member"]);
export type SignatureType = z.infer<typeof SignatureType>;

const Signature = z.object({ type: SignatureType, uuid: z.string() });
type Signature = z.infer<typeof Signature>;

const Content = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("blank") }),
  z.object({ kind: z.literal("found"), type: z.string(), uuid: z.string() }),
  /** The remains of an interrupted `cryptsetup luksFormat` on a blank partition: see {@link isCutOffFormat}. */
  z.object({ kind: z.literal("cut-off-format") }),
  /** No known signature, but not empty: it may be the remains of something. */
  z.object({ kind: z.literal("unknown") }),
]);
/** The content of a device. It is "blank" only after a full inspection; a device that cannot be read is an error. */
export type Content = z.infer<typeof Content>;

/** Covers the first superblock of every format that the units make. */
const HEADER_BYTES = 8192;

/**
 * The first signature of the formats that the units make, read without a process. It reports only certain matches: `undefined` means "no
 * signature of ours", not "blank".
 */
export async function readSignature(host: Host, device: string): Promise<Signature | undefined> {
  return concluded(host, { name: "signature", args: [device], shape: z.optional(Signature) }, async (asked) => {
    const header = await asked.readAt(device, 0, HEADER_BYTES);
    return header === undefined ? undefined : signatureIn(Buffer.from(header));
  });
}

/** Offsets from the formats' own documents. libblkid's probers use the same ones. */
function signatureIn(header: Buffer): Signature | undefined {
  const text = (from: number, length: number): string => header.toString("latin1", from, from + length);
  // LUKS2 On-Disk Format Specification 1.1, section 2.1: magic, version 2 (big endian), the UUID as text at 168.
  if (text(0, 6) === "LUKS\xba\xbe" && header.readUInt16BE(6) <= 2)
    return { type: "crypto_LUKS", uuid: text(168, 40).replace(/\0.*$/s, "") };
  // Documentation/filesystems/ext4/super.rst: the superblock is at 1024, its UUID at 0x68.
  if (header.length >= 2048 && isExt4(header.subarray(1024, 2048))) return { type: "ext4", uuid: uuidText(header.subarray(1024 + 0x68)) };
  // XFS Algorithms & Data Structures, "Superblocks": "XFSB" at 0, the bytes of a block at 4 (512 to 65536), the UUID at 32.
  if (text(0, 4) === "XFSB" && XFS_BLOCKS.includes(header.readUInt32BE(4))) return { type: "xfs", uuid: uuidText(header.subarray(32)) };
  // mkswap(8): the signature ends the first page; include/linux/swap.h: the UUID is at 1024 + 12.
  if (text(4086, 10) === "SWAPSPACE2") return { type: "swap", uuid: uuidText(header.subarray(1036)) };
  // LVM2's label is in one of the first four sectors. The UUID of the physical volume follows it as 32 characters at 32.
  for (const sector of [0, 512, 1024, 1536]) {
    if (text(sector, 8) === "LABELONE" && text(sector + 24, 8) === "LVM2 001")
      return { type: "LVM2_member", uuid: lvmUuid(text(sector + 32, 32)) };
  }
  return undefined;
}

/**
 * The two bytes of magic (0x38) occur in one of 65,536 blocks of noise, and an unwritten encrypted device reads as noise. So the other
 * fields must have values that real superblocks have. These are a block of at most 64 KiB (0x18, its logarithm less 10), a creator (0x48),
 * and a revision (0x4c). No checksum is required: a half-written superblock is still one.
 */
function isExt4(superblock: Buffer): boolean {
  return (
    superblock.readUInt16LE(0x38) === 0xef53 &&
    superblock.readUInt32LE(0x18) <= 6 &&
    superblock.readUInt32LE(0x48) <= 4 &&
    superblock.readUInt32LE(0x4c) <= 1
  );
}

const XFS_BLOCKS: readonly number[] = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];

function uuidText(bytes: Buffer): string {
  const hex = bytes.toString("hex", 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}

/** LVM writes its identifiers in groups of 6-4-4-4-4-4-6 characters. */
export function lvmUuid(characters: string): string {
  return [6, 4, 4, 4, 4, 4, 6]
    .map((length, index, lengths) => {
      const start = lengths.slice(0, index).reduce((sum, part) => sum + part, 0);
      return characters.slice(start, start + length);
    })
    .join("-");
}

/** Covers LUKS2's header area and the part of a var partition that an upgrade wipes. On a blank raw partition, all of this is zero. */
export const BLANK_BYTES = 16 * 1024 * 1024;

/** The range at either end of a device that inspections read: ours, libblkid's probes, LVM's (a test watches them). */
export const INSPECTED_BYTES = 8 * 1024 * 1024;

/**
 * The content of a device, after a full inspection: our own signatures first, then every one that libblkid knows.
 *
 * `mustBeZero`: "blank" also requires that the first 16 MiB are zeros. That is for raw partitions, which are zeroed before use, and catches
 * a header that was damaged beyond recognition. The inside of an encrypted device is noise at first, except for its ends, which are zeroed
 * before they are inspected. So the absence of signatures has to suffice there.
 */
export async function contentOf(host: Host, device: string, { mustBeZero }: { readonly mustBeZero: boolean }): Promise<Content> {
  return concluded(host, { name: "content", args: [device, mustBeZero], shape: Content }, async (asked) =>
    inspectContent(asked, device, mustBeZero),
  );
}

async function inspectContent(host: Host, device: string, mustBeZero: boolean): Promise<Content> {
  const own = await readSignature(host, device);
  if (own !== undefined) return { kind: "found", ...own };
  // blkid(8) exits with 2 both for "nothing found" and for "no such device". So the device itself is checked first.
  const begin = await host.readAt(device, 0, mustBeZero ? BLANK_BYTES : HEADER_BYTES);
  const first = begin === undefined ? undefined : Buffer.from(begin.buffer, begin.byteOffset, begin.length);
  if (first === undefined || first.length === 0) {
    throw new ProblemError(
      {
        code: "device-not-inspected",
        what: `cannot inspect ${device}`,
        found: first === undefined ? "no such device" : "a device of size 0",
      },
      { retryable: true },
    );
  }
  const { status, stdout } = await host.run({ program: "blkid", args: ["--probe", "--output", "export", device], okStatuses: [0, 2, 8] });
  // 8: several signatures contradict each other (blkid(8)). Such a device is certainly not blank.
  if (status === 8) return { kind: "unknown" };
  const foreign = foreignContent(stdout);
  if (foreign !== undefined) return foreign;
  if (!mustBeZero || isZero(first)) return { kind: "blank" };
  return { kind: isCutOffFormat(first) ? "cut-off-format" : "unknown" };
}

/**
 * LUKS2 On-Disk Format Specification 1.1.2, section 2: two headers of 16 KiB. Each is one sector, alone in a block of 4 KiB, then JSON as
 * text.
 */
const SECTOR = 512;
const LUKS_BLOCK = 4096;
const LUKS_HEADER = 16 * 1024;
const KEY_SLOTS = 2 * LUKS_HEADER;
/** 512 random bytes have 221 different values on average. Fewer than this occur about once in 10^13 sectors. */
const NOISE = 180;

/**
 * Before cryptsetup writes a header, it fills the area of the key slots with random bytes (LUKS2_wipe_header_areas in its
 * lib/luks2/luks2_json_format.c). A power cut or a failed write leaves some of them, and perhaps some of the headers' JSON. It leaves
 * neither of the two sectors that would identify a header. Only such content matches: each sector must be zeros, noise in the area of key
 * slots, or text in the area of JSON. The content does not prove that it is ours: an intent that has begun has to say so.
 */
function isCutOffFormat(first: Buffer): boolean {
  for (let at = 0; at < first.length; at += SECTOR) {
    const sector = first.subarray(at, at + SECTOR);
    if (isZero(sector)) continue;
    if (at >= KEY_SLOTS ? new Set(sector).size < NOISE : at % LUKS_HEADER < LUKS_BLOCK || !sector.every(isTextOrZero)) return false;
  }
  return true;
}

const ZEROS = Buffer.alloc(64 * 1024);

/** Compares piece by piece with zeros: a loop over each of 16 million bytes takes a tenth of a second. */
export function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const piece = bytes.subarray(at, at + ZEROS.length);
    if (!piece.equals(ZEROS.subarray(0, piece.length))) return false;
  }
  return true;
}

function isTextOrZero(byte: number): boolean {
  return byte === 0 || (byte >= 0x20 && byte < 0x7f);
}

/** The content that blkid found. For a partition it also prints its entry in the disk's table, which says nothing about the content. */
export function foreignContent(output: string): Content | undefined {
  const lines = output.split("\n").filter((line) => line.includes("=") && !/^(DEVNAME|PART_ENTRY_\w+)=/.test(line));
  if (lines.length === 0) return undefined;
  const values = new Map(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
  const type = values.get("TYPE") ?? values.get("PTTYPE");
  return type === undefined ? { kind: "unknown" } : { kind: "found", type, uuid: values.get("UUID") ?? values.get("PTUUID") ?? "" };
}

/** For messages. */
export function contentText(content: Content): string {
  switch (content.kind) {
    case "blank":
      return "nothing";
    case "cut-off-format":
    case "unknown":
      return "data without a signature that is known";
    case "found":
      return content.uuid === "" ? content.type : `${content.type} ${content.uuid}`;
  }
}
