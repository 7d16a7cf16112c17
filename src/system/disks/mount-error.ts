import { kernelName } from "./block-devices.ts";
import type { CommandError } from "../command.ts";
import type { Host } from "../host.ts";
import type { MountRequest } from "./mounts.ts";

/** Why the kernel did not mount: the errno of mount(2) or fsconfig(2), as far as it makes a difference. */
export type MountErrno = "EUCLEAN" | "EBADMSG" | "EIO" | "EINVAL" | "other";

/**
 * The kernel's errno, derived from the message of mount(8).
 *
 * libmount (mnt_context_get_mount_excode in its context_mount.c) has a sentence of its own for some errors. Each of these belongs to one
 * errno: EIO "can't read superblock on …", EINVAL "wrong fs type, bad option, bad superblock on …", EBADMSG "cannot mount; probably
 * corrupted filesystem on …". For all others it gives strerror(3), which in the C locale says "Structure needs cleaning" for EUCLEAN alone:
 * "mount(2) system call failed: …" up to 2.38, "fsconfig() failed: …" since 2.39.
 *
 * Only the whole sentence behind the mount point counts, so that a name in it cannot be mistaken for an error.
 */
export function mountErrno({ stderr }: CommandError, { source, mountPoint }: MountRequest): MountErrno {
  const start = `mount: ${mountPoint}: `;
  for (const line of stderr.split("\n")) {
    if (!line.startsWith(start)) continue;
    const sentence = line.slice(start.length).replace(/\.$/, "");
    if (sentence === `can't read superblock on ${source}`) return "EIO";
    if (sentence === `cannot mount; probably corrupted filesystem on ${source}`) return "EBADMSG";
    if (sentence.startsWith(`wrong fs type, bad option, bad superblock on ${source}, `)) return "EINVAL";
    const text = /^[\w() ]+ failed: ([^:]+)$/.exec(sentence)?.[1];
    if (text !== undefined) return STRERROR.get(text) ?? "other";
  }
  return "other";
}

/** strerror(3) in the C locale. */
const STRERROR: ReadonlyMap<string, MountErrno> = new Map([
  ["Structure needs cleaning", "EUCLEAN"],
  ["Input/output error", "EIO"],
  ["Invalid argument", "EINVAL"],
]);

/** The number of lines of the kernel's log that are shown for one failure. */
const LINES = 4;

/** The newest line of the kernel's log, as the starting point for {@link kernelWords}. "" where the log is empty or not readable. */
export async function kernelMark(host: Host): Promise<string> {
  return (await kernelLog(host)).trimEnd().split("\n").at(-1) ?? "";
}

/**
 * The kernel's messages about the xfs on a block device since the mark: "XFS (dm-5): Filesystem has duplicate UUID …". For people; no
 * decision depends on them.
 *
 * @returns "" where there are none, or the log is not readable
 */
export async function kernelWords(host: Host, device: string, mark: string): Promise<string> {
  const name = await kernelName(host, device);
  const log = await kernelLog(host);
  // The whole log where there was no mark, or where the mark has already been pushed out of the log.
  const at = mark === "" ? -1 : log.lastIndexOf(mark);
  const since = at === -1 ? log : log.slice(at + mark.length);
  // "[    5.123456] ": the time, which the record has too.
  const lines = since.split("\n").filter((line) => line.includes(`] XFS (${name}): `));
  return lines
    .slice(-LINES)
    .map((line) => line.replace(/^\[[^\]]*\] /, ""))
    .join(" / ");
}

async function kernelLog(host: Host): Promise<string> {
  try {
    return (await host.run({ program: "dmesg", args: [], timeout: 10_000 })).stdout;
  } catch {
    host.signal.throwIfAborted();
    return "";
  }
}
