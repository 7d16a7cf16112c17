import { createHash, type KeyObject } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress } from "node:zlib";
import { signatureText } from "../../src/upgrade/signature.ts";
import { type UpdateContent, updateTar } from "./update-tar.ts";

export interface WrittenUpdate {
  /** Of the whole file. */
  readonly sha256: string;
  readonly bytes: number;
}

/** As the images that are measured in docs/upgrade.md: about as small as gzip -9 makes it and several times as fast. */
const LEVEL = 10;

/**
 * Writes an upgrade image, zstd-compressed, and its signature beside it (`.sig`). The same content and key give the same bytes.
 *
 * @param key Ed25519, private
 */
export async function writeUpdate(out: string, content: UpdateContent, key: KeyObject): Promise<WrittenUpdate> {
  const temporary = `${out}.${process.pid}.part`;
  try {
    const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 };
    const { stream, written } = hashed();
    await pipeline(Readable.from(updateTar(content)), createZstdCompress({ params }), stream, createWriteStream(temporary));
    await writeFile(`${out}.sig`, signatureText(written().sha256, key));
    await rename(temporary, out);
    return written();
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A stream that hands on what it gets. @returns it, and what has gone through it so far */
export function hashed(): { readonly stream: Transform; readonly written: () => WrittenUpdate } {
  const hash = createHash("sha256");
  let bytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  return { stream, written: () => ({ sha256: hash.copy().digest("hex"), bytes }) };
}
