import { type FSWatcher, realpathSync, statSync, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** Watches files by their names, whether they exist or not. */
export interface FileWatch {
  /**
   * Replaces the list of watched files. A pattern (glob(7)) as the last part of a name means every file of that folder.
   *
   * @returns true when at least one folder is newly watched
   */
  readonly set: (files: readonly string[]) => boolean;
}

/** Matches every name in a folder. */
const ANY = "*";

interface Folder {
  readonly watcher: FSWatcher;
  readonly inode: string;
  names: ReadonlySet<string>;
}

/**
 * Calls `changed` when one of the files is written, replaced, renamed, removed or made, until the signal is aborted.
 *
 * inotify(7) watches the file that had the name when the watch began. So every folder on the path is watched for the next name, also on the
 * path of a link's target. `set` must be called after each change: it watches replaced folders again.
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
    // A missing file is no error here.
    return undefined;
  }
}

function inodeOf(path: string): string | undefined {
  const facts = statSync(path, { throwIfNoEntry: false, bigint: true });
  return facts?.isDirectory() === true ? `${facts.dev}:${facts.ino}` : undefined;
}
