import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress } from "node:zlib";
import type { StickImage } from "../../src/setupos/images.ts";
import type { Extent } from "../extent.ts";
import { diskTar } from "../update/update-tar.ts";
import { hashed } from "../update/write-update.ts";

/** Fast: an image for development is built more often than it is installed. */
const LEVEL = 3;

/** Writes a disk as the archive that an installer reads: a zstd-compressed tar with the one member disk.img. @returns what it holds */
export async function writeArchive(out: string, disk: Extent): Promise<StickImage> {
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 };
  const { stream, written } = hashed();
  const { head, pieces } = await diskTar(disk);
  await pipeline(Readable.from(pieces), createZstdCompress({ params }), stream, createWriteStream(out));
  return { ...written(), disk: disk.bytes, head };
}
