import { createHash } from "node:crypto";
import * as z from "../base/schema.ts";
import { BadImage } from "./bad-image.ts";
import { foreignWords } from "../base/foreign-words.ts";

/** Bytes of a chunk: the unit in which partitions are hashed, compared and written. */
export const CHUNK_BYTES = 4 * 1024 * 1024;

const Sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/, "64 lowercase hexadecimal digits"));

const Member = z.strictObject({
  /** Bytes of the member as unpacked. */
  bytes: z.int().check(z.positive()),
  /** See contentDigest. */
  digest: Sha256,
  /** SHA-256 of each chunk, in order; the last one may be shorter. */
  chunks: z.array(Sha256).check(z.minLength(1), z.maxLength(1_000_000)),
});

/** MANIFEST.json of an image: the expected content of each member, chunk by chunk, so that damage is located. */
const Manifest = z.strictObject({
  format: z.literal(1),
  version: z.string().check(z.minLength(1), z.maxLength(256)),
  chunkBytes: z.literal(CHUNK_BYTES),
  members: z.strictObject({ "boot.img": Member, "root.img": Member }),
});
export type Manifest = z.infer<typeof Manifest>;
export type MemberName = keyof Manifest["members"];

/** The actual content of a member. */
export interface MemberContent {
  readonly bytes: number;
  /** SHA-256 of each chunk, as bytes. */
  readonly chunks: readonly Uint8Array[];
}

/**
 * One hash of a member's content: SHA-256 over the SHA-256 of each of its chunks. Unlike a plain SHA-256 it can be computed on several
 * threads, and needs no second pass where the chunks are hashed anyway.
 */
export function contentDigest({ chunks }: MemberContent): string {
  const hash = createHash("sha256");
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}

/** @throws BadImage naming the fault in it */
export function parseManifest(text: string): Manifest {
  const bad = (found: string): BadImage => new BadImage({ code: "manifest-not-valid", what: "MANIFEST.json is not valid", found });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad(foreignWords(error));
  }
  const parsed = Manifest.safeParse(value);
  if (!parsed.success) throw bad(z.prettifyError(parsed.error));
  for (const [name, { bytes, digest, chunks }] of Object.entries(parsed.data.members)) {
    const count = Math.ceil(bytes / CHUNK_BYTES);
    if (chunks.length !== count) throw bad(`${chunks.length} chunks for the ${bytes} bytes of ${name}, which are ${count}`);
    const content = { bytes, chunks: chunks.map((chunk) => Buffer.from(chunk, "hex")) };
    if (contentDigest(content) !== digest) throw bad(`a digest of ${name} that does not follow from its chunks`);
  }
  return parsed.data;
}

/** @throws BadImage when a chunk differs from the manifest */
export function checkChunk(manifest: Manifest, name: MemberName, index: number, digest: Uint8Array): void {
  const expected = manifest.members[name].chunks[index];
  const found = Buffer.from(digest).toString("hex");
  if (found === expected) return;
  throw new BadImage({
    code: "image-content-differs",
    what: `${name} is not what the manifest says, from byte ${index * CHUNK_BYTES} on`,
    found: `SHA-256 ${found}`,
    expected: expected ?? "its end",
  });
}

/** @throws BadImage when a member's size differs from the manifest */
export function checkSize(manifest: Manifest, name: MemberName, bytes: number): void {
  const expected = manifest.members[name].bytes;
  if (bytes === expected) return;
  throw new BadImage({
    code: "image-size-differs",
    what: `${name} has another size than the manifest says`,
    found: `${bytes} bytes`,
    expected: `${expected} bytes`,
  });
}
