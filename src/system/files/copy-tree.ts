import { dirname, join, resolve } from "node:path";
import type { FileAttributes, FileFacts, Host } from "../host.ts";
import { ProblemError } from "../../base/problem.ts";

/** A file with its intended path, content, mode and owner. */
export interface TreeFile extends Required<FileAttributes> {
  /** Relative to the root of the tree, "sshd_config.d/10-node.conf". */
  readonly path: string;
  readonly content: Uint8Array;
}

/** Deeper than any folder below /etc: a link that leads upwards would be followed without end. */
const MAX_DEPTH = 8;
/** symlink(7): the kernel itself follows 40; the image has one, to /usr/lib. */
const MAX_LINKS = 8;

/**
 * Reads all files of a small folder. Links are replaced by their targets, because a relative link would lead elsewhere in a copy. A broken
 * link is left out, as is everything that is neither file nor folder.
 *
 * @param omit decides by the path within the folder
 * @returns `undefined` when there is no such folder
 */
export async function readTree(host: Host, folder: string, omit: (path: string) => boolean): Promise<readonly TreeFile[] | undefined> {
  return readBelow(host, folder, "", omit, 0);
}

async function readBelow(
  host: Host,
  folder: string,
  below: string,
  omit: (path: string) => boolean,
  depth: number,
): Promise<readonly TreeFile[] | undefined> {
  if (depth > MAX_DEPTH)
    throw new ProblemError({ code: "folder-too-deep", what: `${folder} is nested too deeply`, expected: `at most ${MAX_DEPTH} levels` });
  const names = await host.list(folder);
  if (names === undefined) return undefined;
  const files: TreeFile[] = [];
  for (const name of names) {
    const path = join(below, name);
    const source = await followed(host, join(folder, name));
    if (source === undefined || omit(path)) continue;
    if (source.facts.kind === "folder") files.push(...((await readBelow(host, source.path, path, omit, depth + 1)) ?? []));
    if (source.facts.kind !== "file") continue;
    const content = await host.readBytes(source.path);
    if (content === undefined) continue;
    files.push({ path, content, mode: source.facts.mode, uid: source.facts.uid, gid: source.facts.gid });
  }
  return files;
}

interface Found {
  readonly path: string;
  readonly facts: FileFacts;
}

/** The final target of a path, with its own facts and not the link's (a link always has 0777). */
async function followed(host: Host, path: string, links = 0): Promise<Found | undefined> {
  const facts = await host.stat(path);
  if (facts === undefined) return undefined;
  if (facts.kind !== "link") return { path, facts };
  const target = await host.readLink(path);
  return target === undefined || links === MAX_LINKS ? undefined : followed(host, resolve(dirname(path), target), links + 1);
}

/** Those of `files` that are missing below `folder`, or have other content, mode or owner. */
export async function differingFiles(host: Host, folder: string, files: readonly TreeFile[]): Promise<readonly TreeFile[]> {
  const checked = await Promise.all(files.map(async (file) => ((await stands(host, folder, file)) ? [] : [file])));
  return checked.flat();
}

async function stands(host: Host, folder: string, file: TreeFile): Promise<boolean> {
  const path = join(folder, file.path);
  const facts = await host.stat(path);
  if (facts?.kind !== "file" || facts.mode !== file.mode || facts.uid !== file.uid || facts.gid !== file.gid) return false;
  const content = await host.readBytes(path);
  return content !== undefined && Buffer.from(content).equals(file.content);
}

/** Writes each file below `folder`, whole or not at all, with its folders (0755). */
export async function writeTree(host: Host, folder: string, files: readonly TreeFile[]): Promise<void> {
  await host.makeFolder(folder, { mode: 0o755 });
  for (const { path, content, mode, uid, gid } of files) {
    const target = join(folder, path);
    if (dirname(path) !== ".") await host.makeFolder(dirname(target), { mode: 0o755 });
    // An entry under that name that is not a file would make the rename fail permanently.
    const facts = await host.stat(target);
    if (facts !== undefined && facts.kind !== "file") await host.remove(target);
    await host.writeFile(target, content, { mode, uid, gid });
  }
}
