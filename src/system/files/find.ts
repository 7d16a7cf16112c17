import type { Host } from "../host.ts";

/** Files below a folder that were last written before a moment. */
export interface OldFiles {
  readonly folder: string;
  /** Seconds since the epoch. */
  readonly before: number;
  /** Folders and files below it that are left out with all that they hold. */
  readonly except: readonly string[];
}

/** Deleting as many small files as a volume holds takes its time. */
const TIMEOUT = 30 * 60_000;

/** Whether there is one. */
export async function hasOldFiles(host: Host, files: OldFiles): Promise<boolean> {
  const { stdout } = await host.run({ program: "find", args: [...selection(files), "-print0", "-quit"], timeout: TIMEOUT });
  return stdout !== "";
}

/**
 * Deletes them. find(1) enters folders by their descriptors (fts_open(3), unlinkat(2)), so that nobody who may write there can
 * lead it elsewhere by putting a link in a folder's place.
 */
export async function deleteOldFiles(host: Host, files: OldFiles): Promise<void> {
  // A file that somebody else deletes first is gone too, and is no error.
  await host.run({ program: "find", args: [...selection(files), "-delete"], timeout: TIMEOUT });
}

/**
 * -P follows no link; -xdev enters no other file system. Mounts of the same one are named, because -xdev does not see them;
 * not by -prune, which does not go with -delete.
 */
function selection({ folder, before, except }: OldFiles): readonly string[] {
  const others = except.map(literal).flatMap((path) => ["!", "-path", path, "!", "-path", `${path}/*`]);
  return ["-P", folder, "-xdev", "-ignore_readdir_race", ...others, "-type", "f", "!", "-newermt", `@${before}`];
}

/** -path takes a pattern. */
function literal(path: string): string {
  return path.replaceAll(/[*?[\]\\]/g, "\\$&");
}
