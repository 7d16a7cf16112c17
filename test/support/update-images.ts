import { createHash } from "node:crypto";
import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { CHUNK_BYTES, contentDigest, type Manifest } from "../../src/upgrade/manifest.ts";
import { type RawEntry, rawTar } from "./raw-tar.ts";

export interface ImageParts {
  readonly version: string;
  readonly boot: Uint8Array;
  readonly root: Uint8Array;
}

/** The same bytes each time, that do not compress: a stream of hashes. */
export function noise(bytes: number, seed: string): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes; at += 32) blocks.push(createHash("sha256").update(`${seed} ${at}`).digest());
  return Buffer.concat(blocks).subarray(0, bytes);
}

export const smallImage: ImageParts = {
  version: "2.0.0",
  boot: noise(6000, "boot"),
  root: Buffer.concat([noise(9000, "root"), Buffer.alloc(70_000), noise(1500, "end")]),
};

export function manifestOf({ version, boot, root }: ImageParts): Manifest {
  const member = (bytes: Uint8Array): Manifest["members"]["boot.img"] => {
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      chunks.push(
        createHash("sha256")
          .update(bytes.subarray(at, at + CHUNK_BYTES))
          .digest(),
      );
    }
    const content = { bytes: bytes.length, chunks };
    return { bytes: bytes.length, digest: contentDigest(content), chunks: chunks.map((chunk) => chunk.toString("hex")) };
  };
  return { format: 1, version, chunkBytes: CHUNK_BYTES, members: { "boot.img": member(boot), "root.img": member(root) } };
}

export type EntryName = "VERSION.TXT" | "MANIFEST.json" | "boot.img" | "root.img";

/** The members of a good image, by name. */
export function entriesOf(parts: ImageParts): Readonly<Record<EntryName, RawEntry>> {
  return {
    "VERSION.TXT": { name: "VERSION.TXT", content: `${parts.version}\n` },
    "MANIFEST.json": { name: "MANIFEST.json", content: `${JSON.stringify(manifestOf(parts))}\n` },
    "boot.img": { name: "boot.img", content: parts.boot },
    "root.img": { name: "root.img", content: parts.root },
  };
}

export const usualOrder: readonly EntryName[] = ["VERSION.TXT", "MANIFEST.json", "boot.img", "root.img"];

export function imageTar(parts: ImageParts, order: readonly EntryName[] = usualOrder): Buffer {
  const entries = entriesOf(parts);
  return rawTar(order.map((name) => entries[name]));
}

export const compressions = {
  tar: (tar: Buffer): Buffer => tar,
  "tar.gz": (tar: Buffer): Buffer => gzipSync(tar),
  "tar.zst": (tar: Buffer): Buffer => zstdCompressSync(tar, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
};
export type Format = keyof typeof compressions;
export const formats: readonly Format[] = ["tar", "tar.gz", "tar.zst"];

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
