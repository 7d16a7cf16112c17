import type { Host } from "../host.ts";

/** Files below a folder that were last written before a point in time. */
export interface OldFiles {
  readonly folder: string;
  /** Seconds since the epoch. */
  readonly before: number;
  /** Folders and files below it that are left out, with their content. */
  readonly except: readonly string[];
}

/** Long enough to delete as many small files as a volume holds. */
const TIMEOUT = 30 * 60_000;

/** Whether there is at least one such file. */
export async function hasOldFiles(host: Host, files: OldFiles): Promise<boolean> {
  const { stdout } = await host.run({ program: "find", args: [...selection(files), "-print0", "-quit"], timeout: TIMEOUT });
  return stdout !== "";
}

/**
 * Deletes them. find(1) enters folders by their descriptors (fts_open(3), unlinkat(2)). So a process that may write there cannot redirect
 * it by putting a link in the place of a folder.
 */
export async function deleteOldFiles(host: Host, files: OldFiles): Promise<void> {
  // A file that another process deletes first is gone too, and is no error.
  await host.run({ program: "find", args: [...selection(files), "-delete"], timeout: TIMEOUT });
}

/**
 * -P follows no link; -xdev enters no other file system. Mounts of the same file system are excluded by name, because -xdev does not see
 * them. Not by -prune, which cannot be combined with -delete.
 */
function selection({ folder, before, except }: OldFiles): readonly string[] {
  const others = except.map(literal).flatMap((path) => ["!", "-path", path, "!", "-path", `${path}/*`]);
  return ["-P", folder, "-xdev", "-ignore_readdir_race", ...others, "-type", "f", "!", "-newermt", `@${before}`];
}

/** -path takes a pattern. */
function literal(path: string): string {
  return path.replaceAll(/[*?[\]\\]/g, "\\$&");
}
