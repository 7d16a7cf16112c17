import type { ByteSource } from "../system/files/byte-source.ts";
import { BadImage } from "./bad-image.ts";
import { ChunkedMember, type ChunkHandler } from "./chunked-member.ts";
import { decompressed } from "./decompress.ts";
import { HashedInput } from "./hashed-input.ts";
import { readImage } from "./image-reader.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { checkChunk, checkSize, type Manifest, type MemberContent, type MemberName } from "./manifest.ts";

/** The consumer of an image during its reception. A BadImage thrown here needs no place: `receive` adds it. */
export interface Reception {
  /** Called as soon as the version is known. An error ends the reception. */
  readonly version: (version: string) => void | Promise<void>;
  /** Called when a member begins. @param bytes of it as unpacked. @returns the handler of its chunks */
  readonly member: (name: MemberName, bytes: number) => Promise<ChunkHandler>;
  /** Called after each piece with the number of bytes of the file received so far. */
  readonly onBytes: (received: number) => void;
}

export interface Expectation {
  /** Of the whole file, where it is known. */
  readonly sha256: string | undefined;
  /** The most bytes that an image may have, compressed or not. */
  readonly most: number;
}

/** An image that was received completely and passed all checks. */
export interface Received {
  readonly version: string;
  /** Of the whole file. */
  readonly sha256: string;
  readonly bytes: number;
  readonly hasManifest: boolean;
  readonly members: Readonly<Record<MemberName, MemberContent>>;
}

/**
 * The requested image, byte for byte, is bad. Its hash may be recorded, because only its publisher can cause this. A damaged or forged copy
 * has another hash, and proves nothing about the image itself.
 */
export class RefusedImageError extends BadImage {
  readonly sha256: string;

  constructor(cause: BadImage, sha256: string) {
    super(cause.problem, cause);
    this.sha256 = sha256;
  }
}

/**
 * Receives an image in one pass: hash the file, decompress, unpack, hash each chunk, hand over.
 *
 * @throws RefusedImageError, BadImage, and the errors of the source and the reception. No work is in progress any more then
 */
export async function receive(source: ByteSource, expectation: Expectation, buffers: BufferPool, reception: Reception): Promise<Received> {
  const input = new HashedInput(source, expectation.most, buffers.hashing.stream(), reception.onBytes);
  const members: ChunkedMember[] = [];
  try {
    const found = await unpack(input, buffers, reception, members).catch(async (error: unknown) => {
      await Promise.all(members.map((member) => member.settle()));
      throw error instanceof BadImage ? await judged(error, input, source.name, expectation.sha256) : error;
    });
    const sha256 = await input.digest();
    if (expectation.sha256 !== undefined && sha256 !== expectation.sha256) throw otherImage(source.name, sha256, expectation.sha256);
    return { ...found, sha256, bytes: input.bytes };
  } finally {
    await input.close();
  }
}

async function unpack(
  input: HashedInput,
  buffers: BufferPool,
  reception: Reception,
  members: ChunkedMember[],
): Promise<Omit<Received, "sha256" | "bytes">> {
  const contents = new Map<MemberName, MemberContent>();
  let version: string | undefined;
  let manifest: Manifest | undefined;
  await readImage(decompressed(input), {
    version: async (text) => {
      version = text;
      await reception.version(text);
    },
    manifest: async (value) => {
      manifest = value;
    },
    member: async (name, bytes) => {
      if (manifest !== undefined) checkSize(manifest, name, bytes);
      const handler = await reception.member(name, bytes);
      const member = new ChunkedMember(buffers, {
        check: (index, digest) => {
          if (manifest !== undefined) checkChunk(manifest, name, index, digest);
        },
        take: handler.take,
        end: async (content) => {
          contents.set(name, content);
          await handler.end?.(content);
        },
      });
      members.push(member);
      return member;
    },
  });
  const [boot, root] = [contents.get("boot.img"), contents.get("root.img")];
  // readImage ensures this; the types cannot express it.
  if (boot === undefined || root === undefined || version === undefined) throw new Error("an image without its members");
  const all = { "boot.img": boot, "root.img": root };
  if (manifest !== undefined) checkAll(manifest, version, all);
  return { version, hasManifest: manifest !== undefined, members: all };
}

/** A manifest may come last: then no member has been checked against it yet. */
function checkAll(manifest: Manifest, version: string, members: Readonly<Record<MemberName, MemberContent>>): void {
  if (manifest.version !== version) {
    throw new BadImage({
      code: "version-differs",
      what: "VERSION.TXT is not the version of the manifest",
      found: version,
      expected: manifest.version,
    });
  }
  for (const name of ["boot.img", "root.img"] as const) {
    checkSize(manifest, name, members[name].bytes);
    for (const [index, digest] of members[name].chunks.entries()) checkChunk(manifest, name, index, digest);
  }
}

export function otherImage(file: string, found: string, expected: string, because?: BadImage): BadImage {
  const seen = because === undefined ? "" : ` (and: ${because.problem.what})`;
  return new BadImage(
    {
      code: "image-not-asked-for",
      what: "the image is not the requested one",
      where: { file },
      found: `SHA-256 ${found}${seen}`,
      expected: `SHA-256 ${expected}`,
      todo: "fetch it again, because it was damaged or replaced in transit; or give the right hash",
    },
    because,
  );
}

/** Adds the image's name to the error, and finds out whether this is the requested image: the rest of it is read for its hash. */
async function judged(error: BadImage, input: HashedInput, file: string, expected: string | undefined): Promise<BadImage> {
  const placed = new BadImage({ ...error.problem, where: { file } }, error);
  if (expected === undefined) return placed;
  let sha256: string;
  try {
    sha256 = await input.digest();
  } catch {
    // The hash stays unknown; the fault itself is known.
    return placed;
  }
  return sha256 === expected ? new RefusedImageError(placed, sha256) : otherImage(file, sha256, expected, placed);
}
