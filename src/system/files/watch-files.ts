import { type FSWatcher, realpathSync, statSync, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** Watches over files by their names, whether they are there or not. */
export interface FileWatch {
  /** Says which files, from now on; a pattern (glob(7)) as the last part of a name means every file of that folder. @returns true when something is watched that was not before */
  readonly set: (files: readonly string[]) => boolean;
}

/** Stands for every name in a folder. */
const ANY = "*";

interface Folder {
  readonly watcher: FSWatcher;
  readonly inode: string;
  names: ReadonlySet<string>;
}

/**
 * Calls `changed` when one of the files is written, replaced, renamed, removed or made, until the signal is aborted.
 *
 * inotify(7) watches what a name stood for when it was asked; so every folder on the way is watched for the next name,
 * also where a link leads, and `set` must be called again after each change: it watches anew what has been replaced.
 */
export function watchFiles(signal: AbortSignal, changed: () => void): FileWatch {
  const folders = new Map<string, Folder>();
  const close = (path: string): void => {
    folders.get(path)?.watcher.close();
    folders.delete(path);
  };
  signal.addEventListener("abort", () => [...folders.keys()].forEach(close), { once: true });
  const open = (path: string, inode: string, names: ReadonlySet<string>): void => {
    const watcher = watch(path, (_, name) => {
      const names = folders.get(path)?.names;
      if (name === null || names?.has(name) === true || names?.has(ANY) === true) changed();
    });
    watcher.on("error", () => {
      close(path);
      changed();
    });
    folders.set(path, { watcher, inode, names });
  };
  return {
    set(files) {
      if (signal.aborted) return false;
      const wanted = namesByFolder(files);
      for (const path of folders.keys()) if (!wanted.has(path)) close(path);
      let more = false;
      for (const [path, names] of wanted) {
        const inode = inodeOf(path);
        const known = folders.get(path);
        if (known !== undefined && known.inode === inode) {
          known.names = names;
          continue;
        }
        close(path);
        if (inode === undefined) continue;
        more = true;
        open(path, inode, names);
      }
      return more;
    },
  };
}

function namesByFolder(files: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const wanted = new Map<string, Set<string>>();
  for (const file of [...files, ...files.flatMap((name) => target(name) ?? [])]) {
    for (let path = file; path !== "/"; path = dirname(path)) {
      const names = wanted.get(dirname(path)) ?? new Set();
      const name = basename(path);
      wanted.set(dirname(path), names.add(/[*?[]/.test(name) ? ANY : name));
    }
  }
  return wanted;
}

function target(file: string): string | undefined {
  try {
    return realpathSync(file);
  } catch {
    // Not there, which is no error here.
    return undefined;
  }
}

function inodeOf(path: string): string | undefined {
  const facts = statSync(path, { throwIfNoEntry: false, bigint: true });
  return facts?.isDirectory() === true ? `${facts.dev}:${facts.ino}` : undefined;
}
