import { activate, type Action, type Conflict, type Plan } from "../../boot/unit.ts";
import { CommandError } from "../../system/command.ts";
import { checkExt4, checkExt4UnlessClean, checkVfat, checkVfatUnlessClean, repairXfs } from "../../system/disks/fsck.ts";
import { mount, mountAll, mountAt, type MountRequest } from "../../system/disks/mounts.ts";
import type { Machine } from "../machine.ts";

export interface CheckedMount extends MountRequest {
  readonly fileSystem: "ext4" | "vfat" | "xfs";
  /** The file system for people: "/dev/vda4 (A_boot)". */
  readonly place: string;
  /** What the operator is told when something had to be mended. */
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
 * a check, and all of them by one mount(8).
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
  if (fileSystem === "ext4" && (await checkExt4(host, source))) note(mended);
  if (fileSystem === "vfat" && (await checkVfat(host, source))) note(mended);
  try {
    // xfs checks itself by replaying its log as it is mounted; fsck.xfs(8) does nothing on purpose.
    await mount(host, wanted);
  } catch (error) {
    // mount(8): 32 the mount failed. The kernel refuses a log that it cannot replay ("Structure needs cleaning").
    const unreadable = error instanceof CommandError && UNREADABLE.test(error.stderr);
    if (fileSystem !== "xfs" || !unreadable) throw error;
    note(mended);
    await repairXfs(host, source);
    await mount(host, wanted);
  }
}

const UNREADABLE = /structure needs cleaning|can't read superblock|bad superblock/i;
