import { readFile } from "node:fs/promises";
import { run } from "./tools.ts";

/** Bytes of a block, of the data and of the tree: a page, and ext4's own. */
const BLOCK = 4096;

/** What the kernel needs to know of a root, besides its partition, to verify each block that it reads. */
export interface VerifiedRoot {
  /** SHA-256, 64 lowercase hexadecimal digits. */
  readonly hash: string;
  /** Bytes: here the file system ends, and veritysetup's superblock and the hash tree begin. */
  readonly offset: number;
}

/**
 * Writes the hash tree of a root file system behind it, in the format of veritysetup(8). The same file system gives the same bytes and the
 * same hash: the UUID is given, and there is no salt. A salt is of use where someone else chooses a part of the data.
 *
 * @param file the whole partition: the file system up to `offset`, then room for the tree, 0.8 % of it
 * @param uuid of the tree's superblock
 */
export async function addHashTree(file: string, offset: number, uuid: string): Promise<VerifiedRoot> {
  const hashFile = `${file}.hash`;
  await run("veritysetup", [
    ...["format", file, file, `--data-blocks=${offset / BLOCK}`, `--data-block-size=${BLOCK}`, `--hash-block-size=${BLOCK}`],
    ...[`--hash-offset=${offset}`, "--format=1", "--hash=sha256", "--salt=-", `--uuid=${uuid}`, `--root-hash-file=${hashFile}`],
  ]);
  return { hash: (await readFile(hashFile, "utf8")).trim(), offset };
}

/** A kernel's command line as that of an image without a hash tree: the root is then mounted as it is, whatever is in it. */
export function withoutRootHash(cmdline: string): string {
  return cmdline.replaceAll(/ root_hash\S*/g, "");
}
