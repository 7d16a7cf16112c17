import { join, relative } from "node:path";
import type { Mount } from "./mounts.ts";

/**
 * The topmost mount at `target`, as seen from `source`. `bound`: a bind mount of it. `stale`: a bind mount of a file that had this name and
 * was replaced since. (A mount keeps the old file, whatever happens to its name.) `other`: anything else, also no mount.
 */
export type Binding = "bound" | "stale" | "other";

/**
 * Decides from /proc/self/mountinfo alone whether `target` is a bind mount of `source`.
 *
 * A bind mount has no source name there: it shows the device of the file system and the path within it. Both are known for `source` too,
 * from the mount that holds it. A removed name has "//deleted" behind it (d_path in the kernel).
 */
export function bindingOf(mounts: readonly Mount[], source: string, target: string): Binding {
  const top = mounts.findLast((mount) => mount.mountPoint === target);
  const holder = holderOf(mounts, source);
  if (top === undefined || holder === undefined || top.device !== holder.device) return "other";
  const root = join(holder.root, relative(holder.mountPoint, source));
  if (top.root === root) return "bound";
  return top.root === `${root}//deleted` ? "stale" : "other";
}

/** The mount that holds a path: the one with the longest mount point above it. Of two mounts on one point, the later. */
function holderOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let holder: Mount | undefined;
  for (const mount of mounts) {
    const above = mount.mountPoint === path || path.startsWith(mount.mountPoint === "/" ? "/" : `${mount.mountPoint}/`);
    if (above && mount.mountPoint.length >= (holder?.mountPoint.length ?? 0)) holder = mount;
  }
  return holder;
}
