import type { Transform } from "node:stream";
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { foreignWords } from "../base/foreign-words.ts";
import { BadImage } from "./bad-image.ts";
import { isZero } from "../tar/tar-reader.ts";

export type Compression = "none" | "gzip" | "zstd";

/** RFC 1952, 2.3.1; RFC 8878, 3.1.1 and 3.1.2 (skippable frames may come first). */
const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];
const isSkippableFrame = ([first = 0, ...rest]: Uint8Array): boolean =>
  (first & 0xf0) === 0x50 && rest[0] === 0x2a && rest[1] === 0x4d && rest[2] === 0x18;
/** "ustar" in the first header (tar(5)). */
const TAR_MAGIC = 257;
/** The number of bytes that the detection needs. */
const MAGIC_BYTES = 512;

/**
 * A window of 32 MiB, as `zstd --ultra -20` and everything below it uses. The 128 MiB of `--long=27` and level 22 would exceed the memory
 * that an install may take.
 */
const ZSTD_WINDOW_LOG = 25;
/**
 * Bytes of each piece of output: large, because the decoder waits for the main thread between two pieces. Two pieces may be ready before
 * they are read.
 */
const OUTPUT = { chunkSize: 1024 * 1024, readableHighWaterMark: 2 * 1024 * 1024 };

/** Detected from the first bytes; names are ignored. `undefined` for any other format. */
function compressionOf(start: Uint8Array): Compression | undefined {
  if (GZIP.every((byte, index) => start[index] === byte)) return "gzip";
  if (ZSTD.every((byte, index) => start[index] === byte) || isSkippableFrame(start.subarray(0, 4))) return "zstd";
  return Buffer.from(start.subarray(TAR_MAGIC, TAR_MAGIC + 5)).toString("latin1") === "ustar" ? "none" : undefined;
}

/**
 * The tar in a file that may be compressed.
 *
 * @param chunks each is used up before the next one is requested
 * @throws BadImage for a file that is no tar, gzip or zstd, is damaged, is cut off, or has data after its end. Zeros there are padding, as
 *   for gzip(1)
 */
export async function* decompressed(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  const start = await firstBytes(iterator);
  const compression = compressionOf(start);
  if (compression === undefined) {
    const found = start.length === 0 ? "an empty file" : `bytes ${Buffer.from(start.subarray(0, 8)).toString("hex")}… at its beginning`;
    throw new BadImage({
      code: "not-an-upgrade-image",
      what: "this is no upgrade image",
      found,
      expected: "a tar, as it is or compressed with gzip or zstd",
    });
  }
  const all = joined(start, iterator);
  if (compression === "none") {
    yield* all;
    return;
  }
  const decoder =
    compression === "gzip"
      ? createGunzip(OUTPUT)
      : createZstdDecompress({ ...OUTPUT, params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } });
  const feed = { fed: 0, isPadded: true, failure: undefined as Error | undefined };
  const feeding = (async (): Promise<void> => {
    try {
      for await (const chunk of all) {
        if (decoder.destroyed) return;
        feed.fed += chunk.length;
        await taken(decoder, chunk);
        // Once the compressed stream has ended, the decoder accepts no more input and reports nothing.
        const behind = Math.min(chunk.length, feed.fed - decoder.bytesWritten);
        feed.isPadded = isZero(chunk.subarray(chunk.length - behind));
        if (!feed.isPadded) break;
      }
      decoder.end();
    } catch (error) {
      feed.failure = error instanceof Error ? error : new Error(String(error));
      decoder.destroy(feed.failure);
    }
  })();
  try {
    for await (const piece of decoder) {
      if (!(piece instanceof Uint8Array)) continue;
      yield piece;
      release(piece);
    }
  } catch (error) {
    if (feed.failure !== undefined) throw feed.failure;
    throw damage(compression, error);
  } finally {
    decoder.destroy();
  }
  await feeding;
  if (feed.failure !== undefined) throw feed.failure;
  if (!feed.isPadded) {
    throw new BadImage({
      code: "data-behind-compressed",
      what: `there is data after the end of the ${compression} data`,
      found: `more than the ${decoder.bytesWritten} bytes that belong to it`,
    });
  }
}

/**
 * Frees memory that was read; the garbage collector would let up to 64 MiB pile up. The decoder cuts its output out of blocks of memory in
 * order. So a piece that ends where its block ends is the last of that block.
 */
function release({ buffer, byteOffset, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteOffset + byteLength === buffer.byteLength) buffer.transfer(0);
}

function damage(compression: Compression, error: unknown): BadImage {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "Z_BUF_ERROR") {
    const found = `the end of the file in the middle of the ${compression} data`;
    return new BadImage({ code: "image-cut-off", what: "the image is cut off", found }, error);
  }
  if (code === "ZSTD_error_frameParameter_windowTooLarge") {
    const found = `a zstd window of more than ${2 ** (ZSTD_WINDOW_LOG - 20)} MiB`;
    return new BadImage({ code: "image-window-too-large", what: "the image needs too much memory to decompress", found }, error);
  }
  return new BadImage({ code: "compressed-data-damaged", what: `the ${compression} data is damaged`, found: foreignWords(error) }, error);
}

/** Resolves when the decoder no longer needs the chunk, whose memory is reused. A decoder that has ended never calls back. */
async function taken(decoder: Transform, chunk: Uint8Array): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const events = ["close", "end", "error"] as const;
  for (const event of events) decoder.once(event, resolve);
  decoder.write(chunk, () => resolve());
  await promise;
  for (const event of events) decoder.off(event, resolve);
}

async function firstBytes(iterator: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let start: Uint8Array = new Uint8Array();
  while (start.length < MAGIC_BYTES) {
    const next = await iterator.next();
    if (next.done === true) break;
    start = start.length === 0 ? next.value : Buffer.concat([start, next.value]);
  }
  return start;
}

async function* joined(start: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  yield start;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
