import { activate, type Action, type Conflict, type Plan } from "../../boot/unit.ts";
import { CommandError, lastLines } from "../../system/command.ts";
import { checkFileSystem, isMounted, repairXfs, repairXfsWithoutLog } from "../../system/disks/fsck.ts";
import type { Host } from "../../system/host.ts";
import { kernelMark, kernelWords, type MountErrno, mountErrno } from "../../system/disks/mount-error.ts";
import { mount, mountAll, mountAt, type MountRequest } from "../../system/disks/mounts.ts";
import { ProblemError } from "../../base/problem.ts";
import type { Machine } from "../machine.ts";

export interface CheckedMount extends MountRequest {
  readonly fileSystem: "ext4" | "vfat" | "xfs";
  /** The file system in an operator's words: "/dev/vda4 (A_boot)". */
  readonly place: string;
  /** The note to the operator after a successful repair. */
  readonly repaired: string;
  /** Runs before the file system is touched: checks, and makes, what has to be there. */
  readonly prepare?: () => Promise<void>;
}

/** The result of inspecting one mount point: nothing missing, a missing mount, or a conflict. */
export type Inspected = CheckedMount | Conflict | undefined;

/** One action for all missing mounts; the first conflict if there is one. */
export function planMounts(machine: Machine, name: string, inspected: readonly Inspected[]): Plan {
  const wanted: CheckedMount[] = [];
  for (const one of inspected) {
    if (one === undefined) continue;
    if ("conflict" in one) return one;
    wanted.push(one);
  }
  return mountActions(machine, name, wanted);
}

/** One action for all of them; no action for an empty list. @param name of the unit */
export function mountActions(machine: Machine, name: string, wanted: readonly CheckedMount[]): readonly Action[] {
  if (wanted.length === 0) return [];
  const places = wanted.map(({ place, mountPoint }) => `${place} at ${mountPoint}`).join(", ");
  return [activate(`check and mount ${places}`, () => mountChecked(machine, name, wanted))];
}

/**
 * Checks file systems in the order of the list, then mounts all of them by one mount(8). File systems that are marked as clean, and those
 * that are mounted elsewhere, are not checked.
 *
 * If the mount fails, each missing file system is checked and mounted by itself, even if it is marked as clean. So a wrong mark does no
 * harm, and the error names the file system that fails.
 *
 * @param name of the unit, for the table on the tmpfs
 * @throws ProblemError
 */
async function mountChecked(machine: Machine, name: string, wanted: readonly CheckedMount[]): Promise<void> {
  const { host, layout, note } = machine;
  for (const { fileSystem, source, repaired, prepare } of wanted) {
    await prepare?.();
    if (fileSystem === "xfs" || (await isMounted(host, source))) continue;
    if (await checkFileSystem(host, fileSystem, source)) note(repaired);
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
  const { fileSystem, source, repaired } = wanted;
  if (fileSystem === "xfs") return mountXfs({ host, note }, wanted);
  if (!(await isMounted(host, source)) && (await checkFileSystem(host, fileSystem, source, { evenIfClean: true }))) note(repaired);
  const refused = await tryMount(host, wanted);
  if (refused !== undefined) throw refused.errno === "EIO" ? refused.error.asRetryable() : refused.error;
}

/**
 * XFS recovers by replaying its log during the mount; fsck.xfs(8) does nothing on purpose. So the kernel's errno decides. EUCLEAN alone
 * says that the file system is damaged (XFS returns it for EFSCORRUPTED). Any other errno has causes that a repair makes worse.
 *
 * The log is thrown away last: xfs_repair(8) says that this may cost files and data. It is thrown away only if xfs_repair found it in the
 * way, and the kernel then refused the mount again for the same reason.
 */
async function mountXfs({ host, note }: Pick<Machine, "host" | "note">, wanted: CheckedMount): Promise<void> {
  const { source, place, repaired } = wanted;
  const mark = await kernelMark(host);
  const first = await tryMount(host, wanted);
  if (first === undefined) return;
  if (first.errno !== "EUCLEAN") throw await notMounted(host, wanted, first, mark);
  if ((await repairXfs(host, source)) === "log-in-the-way") {
    // The log may be replayable now, for example because xfs_repair has repaired the superblock.
    const again = await tryMount(host, wanted);
    if (again === undefined) return note(repaired);
    if (again.errno !== "EUCLEAN") throw await notMounted(host, wanted, again, mark);
    const words = await kernelWords(host, source, mark);
    note(
      `the log of ${place} cannot be replayed${words === "" ? "" : ` (${words})`}: it will be discarded, together with the last changes to files and folders, including synced ones`,
    );
    await repairXfsWithoutLog(host, source);
  }
  await mount(host, wanted);
  note(repaired);
}

interface Refused {
  readonly errno: MountErrno;
  readonly error: CommandError;
}

/** @returns the kernel's refusal; `undefined` when it is mounted. @throws every error that is not the kernel's answer, such as a timeout */
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

/** Worded like a conflict: the file system is named, and not touched. EIO may pass, so that error is retryable. */
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
      what: `the kernel does not mount ${place} (${source}) at ${mountPoint}; it was not repaired, because nothing shows that it is damaged`,
      found: words.join("; "),
      expected: "a file system that can be mounted, or the error EUCLEAN for one that is damaged",
      todo: 'the kernel log says why: dmesg | tail; what to do then: docs/operator.md, "Conflicts"',
    },
    { retryable: errno === "EIO", cause: error },
  );
}

const DMESG_HINT = /^\s*dmesg\(1\) may have more information .*$/gm;
