import { hash } from "node:crypto";
import { quoted } from "../base/quoted.ts";
import type { ByteSource } from "../system/files/byte-source.ts";
import { BadTar } from "../tar/bad-tar.ts";
import { type TarContent, tarMembers, type TarRules } from "../tar/tar-reader.ts";
import { BadImage } from "./bad-image.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { ChunkedMember, type ChunkHandler } from "./chunked-member.ts";
import { decompressed } from "./decompress.ts";
import { HashedInput } from "./hashed-input.ts";
import { CHUNK_BYTES, type MemberContent } from "./manifest.ts";
import { otherImage } from "./receive.ts";

/** The one member of an archive with a whole disk, as an installer's medium has it (dfinity/ic: host-os.img.tar.zst). */
const MEMBER = "disk.img";
const RULES: TarRules = { extensions: false, zeroPadding: true, headerBytes: 64 * 1024, endBytes: 1024 * 1024 };

export interface ArchivedDisk {
  /** SHA-256 of the archive. */
  readonly sha256: string;
  /** The most bytes that the archive may have. */
  readonly most: number;
}

/**
 * Receives a disk from its archive in one pass: hash the archive, decompress, unpack, hash each chunk, hand over.
 *
 * @param begin called with the bytes of the disk. @returns the handler of its chunks
 * @param onBytes called with the bytes of the archive that were read so far
 * @returns what the disk is to hold
 * @throws BadImage, and the errors of the source and the handler. No work is in progress any more then
 */
export async function receiveDisk(
  source: ByteSource,
  { sha256, most }: ArchivedDisk,
  buffers: BufferPool,
  begin: (bytes: number) => Promise<ChunkHandler>,
  onBytes: (done: number) => void,
): Promise<MemberContent> {
  const input = new HashedInput(source, most, buffers.hashing.stream(), onBytes);
  let sink: ChunkedMember | undefined;
  let content: MemberContent | undefined;
  try {
    await eachPiece(input, source.name, async (size, pieces) => {
      const handler = await begin(size);
      sink = new ChunkedMember(buffers, {
        ...handler,
        end: async (whole) => {
          content = whole;
          await handler.end?.(whole);
        },
      });
      for await (const piece of pieces) await (piece.kind === "bytes" ? sink.write(piece.bytes) : sink.zeros(piece.count));
      await sink.end();
      return undefined;
    });
    const found = await input.digest();
    if (found !== sha256) throw otherImage(source.name, found, sha256);
    if (content === undefined) throw new Error("an archive without its member");
    return content;
  } finally {
    await sink?.settle();
    await input.close();
  }
}

/** The first chunk of an archived disk; the rest of the archive is not read. @throws BadImage where it is not the expected one */
export async function firstChunk(source: ByteSource, expected: string): Promise<Buffer> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let filled = 0;
  const iterator = source.chunks[Symbol.asyncIterator]();
  const open: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => ({ next: async () => iterator.next() }) };
  try {
    await eachPiece(open, source.name, async (_, pieces) => {
      for await (const piece of pieces) {
        if (piece.kind === "bytes") chunk.set(piece.bytes.subarray(0, CHUNK_BYTES - filled), filled);
        filled += Math.min(piece.kind === "bytes" ? piece.bytes.length : piece.count, CHUNK_BYTES - filled);
        if (filled === CHUNK_BYTES) return "enough";
      }
      return undefined;
    });
  } finally {
    await iterator.return?.();
  }
  const found = hash("sha256", chunk);
  if (found === expected) return chunk;
  throw new BadImage({
    code: "disk-head-differs",
    what: "the disk in the archive does not begin as it shall",
    where: { file: source.name },
    found: `SHA-256 ${found}`,
    expected,
  });
}

/** Hands over the one member of the archive. @param use says "enough" where the rest is not to be read */
async function eachPiece(
  chunks: AsyncIterable<Uint8Array>,
  file: string,
  use: (size: number, pieces: TarContent["pieces"]) => Promise<"enough" | undefined>,
): Promise<void> {
  let seen = false;
  try {
    for await (const member of tarMembers(decompressed(chunks), RULES)) {
      const isDisk = (member.type === "0" || member.type === "S") && (member.name === MEMBER || member.name === `./${MEMBER}`);
      if (!isDisk || seen)
        throw new BadImage({
          code: "tar-member-refused",
          what: `the member ${quoted(member.name)} is refused`,
          found: seen ? "a second member" : "a member that is not the disk",
          expected: MEMBER,
        });
      seen = true;
      const { size, pieces } = await member.content();
      if ((await use(size, pieces)) === "enough") return;
    }
    if (!seen)
      throw new BadImage({ code: "archive-not-complete", what: "the archive is not complete", found: "no disk", expected: MEMBER });
  } catch (error) {
    if (error instanceof BadTar) throw new BadImage({ ...error.problem, where: { file } }, error);
    if (error instanceof BadImage) throw new BadImage({ where: { file }, ...error.problem }, error);
    throw error;
  }
}
