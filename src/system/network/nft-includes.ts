import { basename, dirname, isAbsolute, join, matchesGlob } from "node:path";
import type { Host } from "../host.ts";

/** A file that a ruleset includes, directly or through others. */
export interface IncludedFile {
  readonly file: string;
  readonly content: string;
}

/** The folder in which nft searches names that are not absolute (nft(8), "include"; the default of Debian's build). */
const FOLDER = "/etc";
/** MAX_INCLUDE_DEPTH of nftables: deeper includes are an error for nft itself. */
const DEPTH = 16;

/** The names that the ruleset includes, as written, in order: files, or patterns in the last component. */
export function includesIn(content: string): readonly string[] {
  return content
    .split("\n")
    .flatMap((line) => [...line.replace(/#.*$/, "").matchAll(/\binclude\s+(?:"([^"]+)"|'([^']+)')/g)])
    .flatMap(([, double, single]) => double ?? single ?? []);
}

export interface Includes {
  readonly files: readonly IncludedFile[];
  /** The paths to watch for a change of the includes: the files, also missing ones; for a pattern, its folder. */
  readonly watch: readonly string[];
}

/** Reads all files that the ruleset includes, so that a change of them can be detected. Does not decide whether they are allowed. */
export async function readIncludes(host: Host, content: string): Promise<Includes> {
  const files = new Map<string, IncludedFile>();
  const watch = new Set<string>();
  const follow = async (text: string, depth: number): Promise<void> => {
    if (depth > DEPTH) return;
    for (const name of includesIn(text)) {
      const path = isAbsolute(name) ? name : join(FOLDER, name);
      watch.add(path);
      for (const file of await named(host, path)) {
        if (files.has(file)) continue;
        const included = await host.readText(file);
        if (included === undefined) continue;
        watch.add(file);
        files.set(file, { file, content: included });
        await follow(included, depth + 1);
      }
    }
  };
  await follow(content, 1);
  return { files: [...files.values()], watch: [...watch] };
}

async function named(host: Host, path: string): Promise<readonly string[]> {
  if (!/[*?[]/.test(path)) return [path];
  const pattern = basename(path);
  return ((await host.list(dirname(path))) ?? []).filter((name) => matchesGlob(name, pattern)).map((name) => join(dirname(path), name));
}
