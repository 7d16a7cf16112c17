import { dirname } from "node:path";
import type { Host } from "../host.ts";
import { ProblemError } from "../../base/problem.ts";

const MOUNTINFO = "/proc/self/mountinfo";

/** A line of /proc/self/mountinfo (proc_pid_mountinfo(5)), as far as anyone here asks. */
export interface Mount {
  readonly mountPoint: string;
  /** What of the file system is mounted: "/" for all of it, a path for a bind mount of a part. */
  readonly root: string;
  /** Device number as "major:minor": what tells two file systems apart whatever their names. */
  readonly device: string;
  readonly fileSystem: string;
  readonly source: string;
  /** Of this mount alone. */
  readonly options: readonly string[];
  /** Of the file system, wherever it is mounted. The kernel makes it "ro" when it can no longer trust the disk. */
  readonly superOptions: readonly string[];
}

/**
 * What is mounted, in mount order; of two mounts on one point the later one is on top. Read from the kernel: no process is started.
 *
 * @throws ProblemError when the kernel does not say: that is not the same as nothing being mounted
 */
export async function mounts(host: Host): Promise<readonly Mount[]> {
  const text = await host.readText(MOUNTINFO);
  if (text === undefined)
    throw new ProblemError({ code: "mounts-unknown", what: "cannot tell what is mounted", found: `no ${MOUNTINFO}`, todo: "mount /proc" });
  return parseMountinfo(text);
}

/** What is on top at exactly that path, or `undefined` when it is no mount point. */
export async function mountAt(host: Host, path: string): Promise<Mount | undefined> {
  return (await mounts(host)).findLast((mount) => mount.mountPoint === path);
}

/** For who asks what lies there: an empty mount point says nothing about what would be mounted on it. @throws ProblemError */
export async function requireMounted(host: Host, mountPoint: string): Promise<void> {
  if ((await mountAt(host, mountPoint)) === undefined)
    throw new ProblemError({ code: "not-mounted", what: `nothing is mounted at ${mountPoint}` });
}

export function parseMountinfo(text: string): readonly Mount[] {
  const found: Mount[] = [];
  for (const line of text.split("\n")) {
    // Optional fields of unknown number stand between the options and a lone hyphen.
    const [head, tail] = line.split(" - ");
    const [, , device, root, mountPoint, options] = (head ?? "").split(" ");
    const [fileSystem, source, superOptions] = (tail ?? "").split(" ");
    if (device === undefined || root === undefined || mountPoint === undefined || options === undefined) continue;
    found.push({
      mountPoint: unescapeOctal(mountPoint),
      root: unescapeOctal(root),
      device,
      fileSystem: fileSystem ?? "",
      source: unescapeOctal(source ?? ""),
      options: options.split(","),
      superOptions: (superOptions ?? "").split(","),
    });
  }
  return found;
}

/** Blanks, tabs, newlines and backslashes stand as \040 and so on in mountinfo and /proc/swaps. */
export function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

export interface MountRequest {
  readonly source: string;
  readonly mountPoint: string;
  readonly fileSystem?: string;
  readonly options: readonly string[];
}

/** Mounts with mount(8). The mount point must exist. @throws CommandError */
export async function mount(host: Host, request: MountRequest): Promise<void> {
  const type = request.fileSystem === undefined ? [] : ["-t", request.fileSystem];
  await host.run({
    program: "mount",
    args: [...type, "-o", request.options.join(","), "--", request.source, request.mountPoint],
    timeout: MOUNT_TIMEOUT,
    todo: SEE_DMESG,
  });
}

/**
 * Mounts several file systems in the order of the list, by one mount(8) that reads them from a table: fstab(5). It goes on
 * with the next one when one fails. A single one needs no table.
 *
 * @param table where the table may be written; it is removed afterwards
 * @throws CommandError when one of them was not mounted, or more
 */
export async function mountAll(host: Host, table: string, requests: readonly MountRequest[]): Promise<void> {
  const [only, ...more] = requests;
  if (only === undefined) return;
  if (more.length === 0) return mount(host, only);
  await host.makeFolder(dirname(table), { mode: 0o755 });
  // By a file: the kernel does not open again what a pipe from here is (/dev/stdin of a socket).
  await host.writeFile(table, fstab(requests), { mode: 0o600 });
  try {
    await host.run({ program: "mount", args: ["--all", "--fstab", table], timeout: requests.length * MOUNT_TIMEOUT, todo: SEE_DMESG });
  } finally {
    await host.remove(table);
  }
}

/** fstab(5): fields without blanks; 0 0: no dump, and no check by others. */
function fstab(requests: readonly MountRequest[]): string {
  return requests
    .map(({ source, mountPoint, fileSystem, options }) =>
      [escapeOctal(source), escapeOctal(mountPoint), fileSystem ?? "auto", options.join(","), "0", "0\n"].join(" "),
    )
    .join("");
}

/** What unescapeOctal undoes. */
function escapeOctal(text: string): string {
  return text.replaceAll(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

const SEE_DMESG = "see the kernel's own words: dmesg | tail";
/** Milliseconds for one: a log may have to be replayed. */
const MOUNT_TIMEOUT = 120_000;

/** Binds a file or folder over another one; the options then hold for that mount alone. */
export async function bindMount(host: Host, source: string, target: string, options: readonly string[] = []): Promise<void> {
  await mount(host, { source, mountPoint: target, options: ["bind", ...options] });
}

/** Unmounts what is on top there. @throws CommandError */
export async function unmount(host: Host, mountPoint: string): Promise<void> {
  await host.run({ program: "umount", args: ["--", mountPoint] });
}
