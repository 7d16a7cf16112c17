import { type Problem, ProblemError, toProblem } from "../base/problem.ts";
import { type BlockDevice, blockDevices } from "../system/disks/lsblk.ts";
import { mounts } from "../system/disks/mounts.ts";
import { isZero } from "../system/disks/signature.ts";
import type { Host } from "../system/host.ts";
import { inspectDrives } from "./ask-machine.ts";
import { readPart } from "./disk-contents.ts";
import { type DiskPlan, planDisks, type PlannedDrive } from "./disk-plan.ts";
import { type ConsideredDrive, considerDrives } from "./drives.ts";
import { hasReached, type InstallRecord, type Phase, readInstallRecord, recordDigest } from "./install-record.ts";
import { installedNode } from "./installed-node.ts";

/** What is done with the drives of a machine: the very object that is shown is what is carried out. */
export interface InstallPlan {
  /** Every drive of the machine, and what becomes of it. */
  readonly drives: readonly PlannedDrive[];
  /** Drives that are taken, the system drive first. */
  readonly targets: readonly BlockDevice[];
  /** How far an installation on these drives is; `undefined` where none has begun. */
  readonly phase: Phase | undefined;
  /** What the record of this installation says besides its phase. */
  readonly record: Omit<InstallRecord, "phase">;
  /** Why nothing may be changed. */
  readonly mistakes: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * Decides what is done with each drive. An installation that was begun and not ended goes on, on the same drives. A complete one of the same
 * input is left as it is. Everything else is as `planDisks` decides. It only reads.
 *
 * @param input a digest of what is installed
 * @param token the operator's, in its canonical form
 * @param bootLoader reads the beginning of what is written last to the system drive, at `ESP_OFFSET`
 */
export async function planInstall(
  host: Host,
  input: string,
  token: string | undefined,
  bootLoader: () => Promise<Uint8Array>,
): Promise<InstallPlan> {
  const considered = considerDrives(await blockDevices(host), await mounts(host));
  const taken = considered.filter(({ leftBecause }) => leftBecause === undefined);
  const own = recordDigest(taken.map(({ device }) => identity(device)).toSorted());
  const found = await foundRecord(host, taken, own);
  const isOther = found !== undefined && found.record.input !== input;
  if (found === undefined || (await isSomeonesNode(host, found, taken, isOther, bootLoader)))
    return planOf(planDisks(await inspectDrives(host, considered, () => false), token), { phase: undefined, input, own });
  // Of another input, everything is written again.
  const phase = isOther ? "begun" : found.record.phase;
  // From then on, what is on the drives that are taken is the installation's own.
  const drives = await inspectDrives(host, considered, ({ leftBecause }) => leftBecause === undefined && hasReached(phase, "emptied"));
  return planOf(planDisks(drives, undefined, found.device.path), { phase, input, own });
}

/**
 * Whether the record says nothing of what is on the drives now. Other installers leave its sector as it is: so a record counts only where the
 * drives agree with it.
 */
async function isSomeonesNode(
  host: Host,
  { device: system, record: { phase } }: FoundRecord,
  taken: readonly ConsideredDrive[],
  isOther: boolean,
  bootLoader: () => Promise<Uint8Array>,
): Promise<boolean> {
  if (phase === "complete") {
    if (isOther) return true;
    const inspected = await inspectDrives(host, taken, () => false);
    return installedNode(inspected.map((drive) => drive.inspected))?.missing.length !== 0;
  }
  // An installation of ours makes no partitions on any other drive.
  for (const { device } of taken) {
    if (device !== system && (await canBeStarted(host, device)) && (await hasPartitionTable(host, device))) return true;
  }
  if (!(await canBeStarted(host, system))) return phase === "configured" && isOther;
  return phase !== "configured" || isOther || !(await isBootLoader(host, system, await bootLoader()));
}

/** The first partition begins at 1 MiB. Its boot sector is written last of all. */
export const ESP_OFFSET = 1024 * 1024;

/** Bytes of its beginning, which are written in one go. A cut leaves each sector of them as it was, or as it is to be. */
export const BOOT_SECTORS_BYTES = 4096;
const SECTOR = 512;

/** Whether firmware finds a file system where that of a host's boot loader is. */
async function canBeStarted(host: Host, drive: BlockDevice): Promise<boolean> {
  const sector = await readOf(drive, async () => readPart(host, drive.path, ESP_OFFSET, SECTOR));
  return sector[510] === 0x55 && sector[511] === 0xaa;
}

/** Whether there is a GPT: UEFI specification, "GPT header", in the second block of the drive. */
async function hasPartitionTable(host: Host, drive: BlockDevice): Promise<boolean> {
  for (const block of [512, 4096]) {
    const header = await readOf(drive, async () => readPart(host, drive.path, block, SECTOR));
    if (header.subarray(0, 8).toString("latin1") === "EFI PART") return true;
  }
  return false;
}

/** Whether what is where firmware looks is that boot loader, as far as it was written. */
async function isBootLoader(host: Host, drive: BlockDevice, wanted: Uint8Array): Promise<boolean> {
  const found = await readOf(drive, async () => readPart(host, drive.path, ESP_OFFSET, BOOT_SECTORS_BYTES));
  for (let at = 0; at < BOOT_SECTORS_BYTES; at += SECTOR) {
    const sector = found.subarray(at, at + SECTOR);
    if (!isZero(sector) && !sector.equals(wanted.subarray(at, at + SECTOR))) return false;
  }
  return true;
}

/** What is read of a drive to decide on it. @throws ProblemError that names the drive as a person finds it */
async function readOf<T>({ path, serial }: BlockDevice, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { what, found } = toProblem(error);
    throw new ProblemError(
      {
        code: "drive-not-read",
        what: `${path}${serial === undefined ? "" : `, serial number ${serial},`} cannot be read`,
        found: found ?? what,
        expected: "an answer: what is on each drive is known before one is touched",
        todo: "inspect the drive (dmesg, smartctl --all), and replace it or pull it; then start the stick again",
      },
      { cause: error },
    );
  }
}

interface FoundRecord {
  readonly device: BlockDevice;
  readonly record: InstallRecord;
}

interface Known {
  readonly phase: Phase | undefined;
  readonly input: string;
  readonly own: string;
}

function planOf({ drives, mistakes, warnings, unknown }: DiskPlan, { phase, input, own }: Known): InstallPlan {
  const rank = ({ takenAs }: PlannedDrive): number => (takenAs === "system drive" ? 0 : 1);
  const targets = drives
    .filter(({ takenAs }) => takenAs !== undefined)
    .toSorted((one, two) => rank(one) - rank(two))
    .map(({ device }) => device);
  return {
    ...{ drives, targets, phase, warnings },
    record: { version: 1, input, drives: own },
    mistakes: [...mistakes, ...unknown, ...(targets.length === 0 && mistakes.length + unknown.length === 0 ? [NO_DRIVE] : [])],
  };
}

const NO_DRIVE: Problem = {
  code: "disks-none",
  what: "there is no drive that a node can be installed on",
  found: "no large drive that may be taken",
  expected: "a drive of 1 TiB or more, which is not connected by USB",
  todo: "check in the firmware that the drives are seen, and are not behind a RAID",
};

/** What a drive is known by, whatever the kernel calls it. */
function identity({ serial, wwn, bytes }: BlockDevice): string {
  return JSON.stringify([serial ?? null, wwn ?? null, bytes]);
}

async function foundRecord(host: Host, taken: readonly ConsideredDrive[], own: string): Promise<FoundRecord | undefined> {
  const found: FoundRecord[] = [];
  for (const { device } of taken) {
    const record = await readOf(device, async () => readInstallRecord(host, device.path));
    if (record !== undefined) found.push({ device, record });
  }
  const [only, second] = found;
  return second === undefined && only?.record.drives === own ? only : undefined;
}

/**
 * Makes sure that the drives are still those of the plan, and that nothing on them is in use. For each act: names may have changed since, a
 * drive may have been pulled.
 *
 * @throws ProblemError naming both
 */
export async function requireTargets(host: Host, targets: readonly BlockDevice[]): Promise<void> {
  const considered = considerDrives(await blockDevices(host), await mounts(host));
  for (const target of targets) {
    const now = considered.find(({ device }) => device.path === target.path);
    const isSame = now?.device.number === target.number && identity(now.device) === identity(target);
    if (isSame && now.leftBecause === undefined && now.mountPoints.length === 0) continue;
    throw new ProblemError({
      code: "drive-changed",
      what: `${target.path} is not as it was when the drives were chosen, so nothing is written to it`,
      found:
        now === undefined
          ? "no such drive"
          : (now.leftBecause ?? (now.mountPoints.length > 0 ? `mounted at ${now.mountPoints.join(", ")}` : identity(now.device))),
      expected: identity(target),
      todo: "start the stick again",
    });
  }
}
