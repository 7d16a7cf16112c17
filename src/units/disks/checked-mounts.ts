import { activate, type Action, type Conflict, type Plan } from "../../boot/unit.ts";
import { CommandError, lastLines } from "../../system/command.ts";
import {
  checkExt4,
  checkExt4UnlessClean,
  checkVfat,
  checkVfatUnlessClean,
  isMounted,
  repairXfs,
  repairXfsWithoutLog,
} from "../../system/disks/fsck.ts";
import type { Host } from "../../system/host.ts";
import { kernelMark, kernelWords, type MountErrno, mountErrno } from "../../system/disks/mount-error.ts";
import { mount, mountAll, mountAt, type MountRequest } from "../../system/disks/mounts.ts";
import { ProblemError } from "../../base/problem.ts";
import type { Machine } from "../machine.ts";

export interface CheckedMount extends MountRequest {
  readonly fileSystem: "ext4" | "vfat" | "xfs";
  /** The file system for people: "/dev/vda4 (A_boot)". */
  readonly place: string;
  /** What the operator is told once something was damaged, and a repair has succeeded. */
  readonly mended: string;
  /** What has to be true, and made true, before it is touched. */
  readonly prepare?: () => Promise<void>;
}

/** What a look at one place finds: that nothing is missing, a mount that is, or something in the way. */
export type Looked = CheckedMount | Conflict | undefined;

/** One action for all that is missing; the first conflict where there is one. */
export function planMounts(machine: Machine, name: string, looked: readonly Looked[]): Plan {
  const wanted: CheckedMount[] = [];
  for (const one of looked) {
    if (one === undefined) continue;
    if ("conflict" in one) return one;
    wanted.push(one);
  }
  return mountActions(machine, name, wanted);
}

/** One action for all of them; none for none. @param name of the unit */
export function mountActions(machine: Machine, name: string, wanted: readonly CheckedMount[]): readonly Action[] {
  if (wanted.length === 0) return [];
  const places = wanted.map(({ place, mountPoint }) => `${place} at ${mountPoint}`).join(", ");
  return [activate(`check and mount ${places}`, () => mountChecked(machine, name, wanted))];
}

/**
 * Checks file systems and mounts them, in that order of the list: those that say of themselves that they are clean without
 * a check, and those that are mounted elsewhere; and all of them by one mount(8).
 *
 * Where that fails, each that is missing is taken by itself, and checked whatever it says: so the careful way has the last word, and
 * it names the one that is in trouble.
 *
 * @param name of the unit, for the table on the tmpfs
 * @throws ProblemError
 */
async function mountChecked(machine: Machine, name: string, wanted: readonly CheckedMount[]): Promise<void> {
  const { host, layout, note } = machine;
  for (const { fileSystem, source, mended, prepare } of wanted) {
    await prepare?.();
    if (await isMounted(host, source)) continue;
    if (fileSystem === "ext4" && (await checkExt4UnlessClean(host, source))) note(mended);
    if (fileSystem === "vfat" && (await checkVfatUnlessClean(host, source))) note(mended);
  }
  try {
    await mountAll(host, `${layout.run}/${name}.fstab`, wanted);
    return;
  } catch (error) {
    host.signal.throwIfAborted();
    if (!(error instanceof CommandError)) throw error;
  }
  for (const one of wanted) {
    if ((await mountAt(host, one.mountPoint)) === undefined) await checkAndMount(machine, one);
  }
}

async function checkAndMount({ host, note }: Machine, wanted: CheckedMount): Promise<void> {
  const { fileSystem, source, mended } = wanted;
  if (fileSystem === "xfs") return mountXfs({ host, note }, wanted);
  const isInUse = await isMounted(host, source);
  if (fileSystem === "ext4" && !isInUse && (await checkExt4(host, source))) note(mended);
  if (fileSystem === "vfat" && !isInUse && (await checkVfat(host, source))) note(mended);
  const refused = await tryMount(host, wanted);
  if (refused !== undefined) throw refused.errno === "EIO" ? refused.error.asRetryable() : refused.error;
}

/**
 * xfs checks itself by replaying its log as it is mounted; fsck.xfs(8) does nothing on purpose. So the kernel's errno decides, and
 * EUCLEAN alone says that the file system is damaged (XFS gives it for EFSCORRUPTED). Any other has causes that a repair makes worse.
 *
 * The log goes last: xfs_repair(8) says that it may cost files and data. It goes only where xfs_repair found it in the way,
 * and the kernel has then refused once more, for the same reason, to replay it.
 */
async function mountXfs({ host, note }: Pick<Machine, "host" | "note">, wanted: CheckedMount): Promise<void> {
  const { source, place, mended } = wanted;
  const mark = await kernelMark(host);
  const first = await tryMount(host, wanted);
  if (first === undefined) return;
  if (first.errno !== "EUCLEAN") throw await notMounted(host, wanted, first, mark);
  if ((await repairXfs(host, source)) === "log-in-the-way") {
    // With its superblock repaired, for example, the log can be replayed.
    const again = await tryMount(host, wanted);
    if (again === undefined) return note(mended);
    if (again.errno !== "EUCLEAN") throw await notMounted(host, wanted, again, mark);
    const words = await kernelWords(host, source, mark);
    note(
      `the log of ${place} cannot be replayed${words === "" ? "" : ` (${words})`}: it is about to be thrown away, and with it the last changes to files and folders, also those that were synced`,
    );
    await repairXfsWithoutLog(host, source);
  }
  await mount(host, wanted);
  note(mended);
}

interface Refused {
  readonly errno: MountErrno;
  readonly error: CommandError;
}

/** @returns how the kernel refused it; `undefined` when it is mounted. @throws what is no answer of the kernel's, such as a timeout */
async function tryMount(host: Host, wanted: CheckedMount): Promise<Refused | undefined> {
  try {
    await mount(host, wanted);
    return undefined;
  } catch (error) {
    host.signal.throwIfAborted();
    // mount(8): 32, the mount failed.
    if (!(error instanceof CommandError) || error.ending.kind !== "exited") throw error;
    return { errno: mountErrno(error, wanted), error };
  }
}

/** In the words of a conflict: what is there is named, and not touched. EIO may pass, so it is tried again first. */
async function notMounted(
  host: Host,
  { source, place, mountPoint }: CheckedMount,
  { errno, error }: Refused,
  mark: string,
): Promise<ProblemError> {
  const words = [lastLines(error.stderr.replaceAll(DMESG_HINT, ""), 2), await kernelWords(host, source, mark)].filter(
    (text) => text !== "",
  );
  return new ProblemError(
    {
      code: "mount-failed",
      what: `the kernel does not mount ${place} (${source}) at ${mountPoint}; it was not repaired, for nothing says that it is damaged`,
      found: words.join("; "),
      expected: "a file system that can be mounted, or the error EUCLEAN for one that is damaged",
      todo: 'the kernel log says why: dmesg | tail; what to do then: docs/operator.md, "Conflicts"',
    },
    { retryable: errno === "EIO", cause: error },
  );
}

const DMESG_HINT = /^\s*dmesg\(1\) may have more information .*$/gm;
