import { hash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { CHUNK_BYTES, contentDigest, type Manifest, type MemberName } from "../../src/upgrade/manifest.ts";
import type { Extent } from "../extent.ts";

export interface UpdateContent {
  readonly version: string;
  readonly boot: Extent;
  readonly root: Extent;
}

const BLOCK = 512;
/** Zeros are left out in units of this size; a multiple of it is what file systems allocate. */
const UNIT = 64 * 1024;

interface Segment {
  readonly offset: number;
  readonly length: number;
}

interface Survey {
  readonly member: Manifest["members"][MemberName];
  readonly segments: readonly Segment[];
}

/**
 * An upgrade image as a tar, piece by piece: VERSION.TXT and the manifest first, so that a reader knows at once what it
 * should be, then both partitions as GNU sparse members. The same content gives the same bytes.
 */
export async function* updateTar({ version, boot, root }: UpdateContent): AsyncIterable<Buffer> {
  const surveys = { "boot.img": await survey(boot), "root.img": await survey(root) };
  const members = { "boot.img": surveys["boot.img"].member, "root.img": surveys["root.img"].member };
  const manifest: Manifest = { format: 1, version, chunkBytes: CHUNK_BYTES, members };
  yield plainMember("VERSION.TXT", `${version}\n`);
  yield plainMember("MANIFEST.json", `${JSON.stringify(manifest)}\n`);
  yield* sparseMember("boot.img", boot, surveys["boot.img"].segments);
  yield* sparseMember("root.img", root, surveys["root.img"].segments);
  yield Buffer.alloc(2 * BLOCK);
}

/** A disk as the one member of a tar, and the SHA-256 of its first chunk. The same content gives the same bytes. */
export async function diskTar(extent: Extent): Promise<{ readonly head: string; readonly pieces: AsyncIterable<Buffer> }> {
  const { member, segments } = await survey(extent);
  const pieces = async function* (): AsyncIterable<Buffer> {
    yield* sparseMember("disk.img", extent, segments);
    yield Buffer.alloc(2 * BLOCK);
  };
  return { head: member.chunks[0] ?? "", pieces: pieces() };
}

/** Hashes an extent chunk by chunk, and finds where it is not zero. */
async function survey(extent: Extent): Promise<Survey> {
  const chunks: Buffer[] = [];
  const segments: Segment[] = [];
  const zeros = Buffer.alloc(UNIT);
  await reading(extent, async (file) => {
    const buffer = Buffer.alloc(CHUNK_BYTES);
    for (let offset = 0; offset < extent.bytes; offset += CHUNK_BYTES) {
      const chunk = buffer.subarray(0, Math.min(CHUNK_BYTES, extent.bytes - offset));
      await readWhole(file, chunk, extent.offset + offset);
      chunks.push(hash("sha256", chunk, "buffer"));
      for (let at = 0; at < chunk.length; at += UNIT) {
        const unit = chunk.subarray(at, at + UNIT);
        if (unit.equals(zeros.subarray(0, unit.length))) continue;
        const last = segments.at(-1);
        if (last !== undefined && last.offset + last.length === offset + at) {
          segments[segments.length - 1] = { offset: last.offset, length: last.length + unit.length };
        } else segments.push({ offset: offset + at, length: unit.length });
      }
    }
  });
  const content = { bytes: extent.bytes, chunks };
  return {
    member: { bytes: extent.bytes, digest: contentDigest(content), chunks: chunks.map((chunk) => chunk.toString("hex")) },
    segments,
  };
}

async function* sparseMember(name: string, extent: Extent, segments: readonly Segment[]): AsyncIterable<Buffer> {
  yield sparseHeader(name, extent.bytes, segments);
  const file = await open(extent.path, "r");
  let stored = 0;
  try {
    for (const { offset, length } of segments) {
      for (let done = 0; done < length;) {
        const piece = Buffer.alloc(Math.min(CHUNK_BYTES, length - done));
        await readWhole(file, piece, extent.offset + offset + done);
        done += piece.length;
        stored += piece.length;
        yield piece;
      }
    }
  } finally {
    await file.close();
  }
  yield Buffer.alloc(padding(stored));
}

/** GNU tar manual, "Old GNU format" of sparse files: four stretches in the header, 21 in each block behind it. */
export function sparseHeader(name: string, size: number, segments: readonly Segment[]): Buffer {
  const stored = segments.reduce((sum, { length }) => sum + length, 0);
  // A file that ends in a hole ends with an empty stretch.
  const all = [...segments, { offset: size, length: 0 }];
  const header = emptyHeader(name, "S", stored);
  writeStretches(header, 386, all.slice(0, 4));
  header[482] = all.length > 4 ? 1 : 0;
  writeNumber(header, 483, size);
  const blocks = [sealed(header)];
  for (let index = 4; index < all.length; index += 21) {
    const block = Buffer.alloc(BLOCK);
    writeStretches(block, 0, all.slice(index, index + 21));
    block[504] = index + 21 < all.length ? 1 : 0;
    blocks.push(block);
  }
  return Buffer.concat(blocks);
}

function writeStretches(block: Buffer, at: number, segments: readonly Segment[]): void {
  for (const [index, { offset, length }] of segments.entries()) {
    writeNumber(block, at + index * 24, offset);
    writeNumber(block, at + index * 24 + 12, length);
  }
}

function plainMember(name: string, text: string): Buffer {
  const content = Buffer.from(text);
  return Buffer.concat([sealed(emptyHeader(name, "0", content.length)), content, Buffer.alloc(padding(content.length))]);
}

/** Of root, read by all, of no time: nothing of the builder is in it. */
function emptyHeader(name: string, type: string, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, "latin1");
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  writeNumber(header, 124, size);
  header.write("00000000000\0", 136);
  header.write(type, 156);
  header.write("ustar  \0", 257);
  return header;
}

/** With its checksum (tar(5)): the sum of all bytes, its own field taken as blanks. */
function sealed(header: Buffer): Buffer {
  header.write("        ", 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** Eleven octal digits, or from 8 GiB on GNU's base-256: the first bit set, then the number. */
function writeNumber(block: Buffer, at: number, value: number): void {
  if (value < 8 ** 11) {
    block.write(`${value.toString(8).padStart(11, "0")}\0`, at);
    return;
  }
  block[at] = 0x80;
  block.writeBigUInt64BE(BigInt(value), at + 4);
}

function padding(stored: number): number {
  return (BLOCK - (stored % BLOCK)) % BLOCK;
}

async function reading(extent: Extent, use: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(extent.path, "r");
  try {
    await use(file);
  } finally {
    await file.close();
  }
}

async function readWhole(file: FileHandle, buffer: Buffer, position: number): Promise<void> {
  for (let done = 0; done < buffer.length;) {
    const { bytesRead } = await file.read(buffer, done, buffer.length - done, position + done);
    if (bytesRead === 0) throw new Error(`the file ends at byte ${position + done}`);
    done += bytesRead;
  }
}
