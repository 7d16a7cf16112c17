import { join, relative } from "node:path";
import type { Mount } from "./mounts.ts";

/**
 * What is on top at `target`, seen from `source`:
 * `bound` is a bind mount of it; `stale` is one of a file that had this name and was replaced since (a mount keeps the old
 * file, whatever happens to its name); `other` is everything else, also nothing at all.
 */
export type Binding = "bound" | "stale" | "other";

/**
 * Says by /proc/self/mountinfo alone whether `target` is a bind mount of `source`.
 *
 * A bind mount names no source there: it shows the device of the file system and the path within it. `source` has these
 * two as well, seen from the mount that holds it. A name that is gone has "//deleted" behind it (d_path in the kernel).
 */
export function bindingOf(mounts: readonly Mount[], source: string, target: string): Binding {
  const top = mounts.findLast((mount) => mount.mountPoint === target);
  const holder = holderOf(mounts, source);
  if (top === undefined || holder === undefined || top.device !== holder.device) return "other";
  const root = join(holder.root, relative(holder.mountPoint, source));
  if (top.root === root) return "bound";
  return top.root === `${root}//deleted` ? "stale" : "other";
}

/** The mount that a path lies on: the longest mount point above it, and of two on one point the later. */
function holderOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let holder: Mount | undefined;
  for (const mount of mounts) {
    const above = mount.mountPoint === path || path.startsWith(mount.mountPoint === "/" ? "/" : `${mount.mountPoint}/`);
    if (above && mount.mountPoint.length >= (holder?.mountPoint.length ?? 0)) holder = mount;
  }
  return holder;
}
