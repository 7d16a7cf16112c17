import { createHash, type Hash } from "node:crypto";
import { join } from "node:path";
import type { Host } from "../system/host.ts";
import { fileChunks } from "../system/files/file-chunks.ts";

/**
 * One sha256 over a file or a whole tree: names, kinds and contents, but not owners, modes and times. If the digest of a tree in a tar
 * equals that of a tree on the disk, the disk holds the tar's content.
 */
export class TreeDigest {
  readonly #lines: string[] = [];

  /** `path` is relative to the tree, "" for the tree itself. */
  folder(path: string): void {
    this.#lines.push(`folder ${path}\0`);
  }

  file(path: string, sha256: string): void {
    this.#lines.push(`file ${path}\0${sha256}`);
  }

  /** A kind that this program never stores: a link, a device. */
  foreign(path: string): void {
    this.#lines.push(`foreign ${path}\0`);
  }

  digest(): string {
    const hash = createHash("sha256");
    for (const line of this.#lines.toSorted()) hash.update(`${line}\n`);
    return hash.digest("hex");
  }
}

/** The digest of the file or tree at a path; `undefined` when the path does not exist. Links are not followed. */
export async function digestOf(host: Host, path: string): Promise<string | undefined> {
  const tree = new TreeDigest();
  return (await addAll(host, path, "", tree)) ? tree.digest() : undefined;
}

async function addAll(host: Host, root: string, path: string, tree: TreeDigest): Promise<boolean> {
  const facts = await host.stat(join(root, path));
  switch (facts?.kind) {
    case undefined:
      return false;
    case "file":
      tree.file(path, await fileDigest(host, join(root, path)));
      return true;
    case "folder":
      tree.folder(path);
      for (const name of (await host.list(join(root, path))) ?? []) await addAll(host, root, path === "" ? name : `${path}/${name}`, tree);
      return true;
    case "link":
    case "block-device":
    case "other":
      tree.foreign(path);
      return true;
  }
}

async function fileDigest(host: Host, path: string): Promise<string> {
  const hash: Hash = createHash("sha256");
  for await (const chunk of fileChunks(host, path)) hash.update(chunk);
  return hash.digest("hex");
}
