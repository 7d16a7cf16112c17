import { dirname } from "node:path";
import type { Host } from "../host.ts";
import { ProblemError } from "../../base/problem.ts";

const MOUNTINFO = "/proc/self/mountinfo";

/** A line of /proc/self/mountinfo (proc_pid_mountinfo(5)), with the fields that are used here. */
export interface Mount {
  readonly mountPoint: string;
  /** The mounted part of the file system: "/" for all of it, a path for a bind mount of a part. */
  readonly root: string;
  /** Device number as "major:minor". It distinguishes two file systems, whatever their names. */
  readonly device: string;
  readonly fileSystem: string;
  readonly source: string;
  /** Of this mount alone. */
  readonly options: readonly string[];
  /** Of the file system, wherever it is mounted. The kernel makes it "ro" when it can no longer trust the disk. */
  readonly superOptions: readonly string[];
}

/**
 * All mounts, in mount order; of two mounts on one point the later one is on top. Read from the kernel: no process is started.
 *
 * @throws ProblemError when the kernel does not tell: that is not the same as no mounts
 */
export async function mounts(host: Host): Promise<readonly Mount[]> {
  const text = await host.readText(MOUNTINFO);
  if (text === undefined)
    throw new ProblemError({ code: "mounts-unknown", what: "cannot tell what is mounted", found: `no ${MOUNTINFO}`, todo: "mount /proc" });
  return parseMountinfo(text);
}

/** The topmost mount at exactly that path, or `undefined` when it is not a mount point. */
export async function mountAt(host: Host, path: string): Promise<Mount | undefined> {
  return (await mounts(host)).findLast((mount) => mount.mountPoint === path);
}

/** For callers that read below a mount point: an empty one tells nothing about what would be mounted there. @throws ProblemError */
export async function requireMounted(host: Host, mountPoint: string): Promise<void> {
  if ((await mountAt(host, mountPoint)) === undefined)
    throw new ProblemError({ code: "not-mounted", what: `nothing is mounted at ${mountPoint}` });
}

export function parseMountinfo(text: string): readonly Mount[] {
  const found: Mount[] = [];
  for (const line of text.split("\n")) {
    // A variable number of optional fields comes between the options and a lone hyphen.
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

/** mountinfo and /proc/swaps write blanks, tabs, newlines and backslashes as \040 and so on. */
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
 * Mounts several file systems in the order of the list, by one mount(8) that reads them from a table: fstab(5). When one fails, it goes on
 * with the next. A single one needs no table.
 *
 * @param table a path for the table; it is removed afterwards
 * @throws CommandError when one of them or more were not mounted
 */
export async function mountAll(host: Host, table: string, requests: readonly MountRequest[]): Promise<void> {
  const [only, ...more] = requests;
  if (only === undefined) return;
  if (more.length === 0) return mount(host, only);
  await host.makeFolder(dirname(table), { mode: 0o755 });
  // A file, because standard input from here is a socket, and the kernel cannot reopen a socket by name (/dev/stdin).
  await host.writeFile(table, fstab(requests), { mode: 0o600 });
  try {
    await host.run({ program: "mount", args: ["--all", "--fstab", table], timeout: requests.length * MOUNT_TIMEOUT, todo: SEE_DMESG });
  } finally {
    await host.remove(table);
  }
}

/** fstab(5): fields without blanks; 0 0: no dump, and no check by other programs. */
function fstab(requests: readonly MountRequest[]): string {
  return requests
    .map(({ source, mountPoint, fileSystem, options }) =>
      [escapeOctal(source), escapeOctal(mountPoint), fileSystem ?? "auto", options.join(","), "0", "0\n"].join(" "),
    )
    .join("");
}

/** The inverse of unescapeOctal. */
function escapeOctal(text: string): string {
  return text.replaceAll(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

const SEE_DMESG = "see the kernel log: dmesg | tail";
/** Milliseconds for one mount: the file system may have to replay its log. */
const MOUNT_TIMEOUT = 120_000;

/** Binds a file or folder over another one. The options then hold for that mount alone. */
export async function bindMount(host: Host, source: string, target: string, options: readonly string[] = []): Promise<void> {
  await mount(host, { source, mountPoint: target, options: ["bind", ...options] });
}

/** Milliseconds. Unmounting writes all pending data: gigabytes perhaps, to a slow disk. */
const UNMOUNT_TIMEOUT = 600_000;

/** Unmounts the topmost mount there. @throws CommandError */
export async function unmount(host: Host, mountPoint: string): Promise<void> {
  await host.run({ program: "umount", args: ["--", mountPoint], timeout: UNMOUNT_TIMEOUT });
}
