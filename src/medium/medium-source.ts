import { createHash } from "node:crypto";
import { join } from "node:path";
import { ProblemError } from "../base/problem.ts";
import type { Host } from "../system/host.ts";
import { fileChunks } from "../system/files/file-chunks.ts";
import { beyond, Names, readTar, refusedEntry, type TarEntry, type TarLimits, type TarSummary } from "./medium-tar.ts";
import { TreeDigest } from "./tree-digest.ts";

/** Where the content of a medium is. */
export interface MediumSource {
  /** A tar, or the root folder of the medium itself. */
  readonly kind: "tar" | "folder";
  readonly path: string;
  /** For messages: "/dev/sdb1: ic-bootstrap.tar". */
  readonly title: string;
}

/** Reads all entries of a medium, in their order. May be called again. */
export type MediumReader = (limits: TarLimits, visit: (entry: TarEntry) => Promise<void>) => Promise<TarSummary>;

/**
 * @param known whether an entry at the top may be of use. In a folder, what is below one that is not is not read
 */
export function readerOf(host: Host, { kind, path, title }: MediumSource, known: (name: string) => boolean): MediumReader {
  return kind === "tar"
    ? async (limits, visit) => readTar(fileChunks(host, path), title, limits, visit)
    : async (limits, visit) => readFolder({ host, root: path, title, known, limits }, visit);
}

interface Folder {
  readonly host: Host;
  readonly root: string;
  readonly title: string;
  readonly known: (name: string) => boolean;
  readonly limits: TarLimits;
}

/**
 * Reads a folder as `readTar` reads a tar: the same rules for names, the same bounds. Entries come sorted by name. The digest is of names,
 * kinds and contents.
 */
async function readFolder({ host, root, title, known, limits }: Folder, visit: (entry: TarEntry) => Promise<void>): Promise<TarSummary> {
  const names = new Names(title, limits);
  const tree = new TreeDigest();
  let bytes = 0;
  const walk = async (folder: string): Promise<void> => {
    for (const child of (await host.list(join(root, folder)))?.toSorted() ?? []) {
      const path = join(root, folder, child);
      const facts = await host.stat(path);
      const kind = facts?.kind === "folder" ? "folder" : "file";
      const name = names.add(folder === "" ? child : `${folder}/${child}`, kind);
      if (facts === undefined || (facts.kind !== "folder" && facts.kind !== "file"))
        throw refusedEntry(name, title, "neither a file nor a folder", "a regular file or a folder");
      if (kind === "folder") {
        tree.folder(name);
        await visit({ kind, name, size: 0, content: fileChunks(host, path) });
        if (folder !== "" || known(name)) await walk(name);
        continue;
      }
      bytes += facts.size;
      if (bytes > limits.tarBytes) throw tooMuch(title, limits.tarBytes);
      const hash = createHash("sha256");
      const content = hashed(known(name.split("/")[0] ?? "") ? fileChunks(host, path) : none(), facts.size, hash);
      await visit({ kind, name, size: facts.size, content });
      for await (const _ of content) continue;
      tree.file(name, hash.digest("hex"));
    }
  };
  await walk("");
  return { sha256: tree.digest(), bytes, folders: names.folders() };
}

/** The bytes, each of them hashed as it is passed on. Of a file that grows meanwhile, no more than its size. */
async function* hashed(
  chunks: AsyncIterable<Uint8Array>,
  size: number,
  hash: { update(bytes: Uint8Array): unknown },
): AsyncGenerator<Uint8Array> {
  let left = size;
  for await (const chunk of chunks) {
    const piece = chunk.subarray(0, left);
    left -= piece.length;
    hash.update(piece);
    yield piece;
  }
}

/** The content of an entry that is ignored. */
async function* none(): AsyncGenerator<Uint8Array> {}

function tooMuch(title: string, most: number): ProblemError {
  return new ProblemError({
    code: "medium-too-large",
    what: "there is too much on the medium",
    ...beyond(title, most),
  });
}
