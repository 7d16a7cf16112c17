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
  const hash = createHash("sha256");
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  const temporary = `${out}.${process.pid}.part`;
  try {
    const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 };
    await pipeline(Readable.from(updateTar(content)), createZstdCompress({ params }), count, createWriteStream(temporary));
    const sha256 = hash.digest("hex");
    await writeFile(`${out}.sig`, signatureText(sha256, key));
    await rename(temporary, out);
    return { sha256, bytes };
  } finally {
    await rm(temporary, { force: true });
  }
}
