import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { parseMountinfo } from "../../src/system/disks/mounts.ts";

/**
 * Makes all that is mounted read-only in the mount namespace of this process, but for those paths: tests run units and tools as root, and
 * what goes astray must not reach the machine that runs them, however it is done.
 *
 * @param writable folders and files; what is not there is left out
 */
export function protectTheRest(writable: readonly string[]): void {
  const own = writable.filter((path) => existsSync(path));
  // A mount of its own stays writable when the one around it no longer is: read-only is said of a mount (mount(8), "remount,bind,ro").
  for (const path of own) if (!mountPoints().includes(path)) execFileSync("mount", ["--bind", "--", path, path]);
  const others = mountPoints().filter((place) => own.every((path) => !`${place}/`.startsWith(`${path}/`)));
  for (const place of others) execFileSync("mount", ["-o", "remount,bind,ro", "--", place]);
  // The working folder may be below what something was mounted over, as in a clone in /tmp.
  process.chdir(process.cwd());
}

/** Those that can be reached: what was mounted later, there or above, hides a mount. */
function mountPoints(): readonly string[] {
  const all = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8")).map(({ mountPoint }) => mountPoint);
  return all.filter((place, index) => all.slice(index + 1).every((later) => !`${place}/`.startsWith(`${later}/`)));
}
