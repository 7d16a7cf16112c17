import { kernelName } from "./block-devices.ts";
import { EXT4_SUPERBLOCK, saysCleanExt4, saysCleanFat, tornSuperblock } from "./clean-file-system.ts";
import { type Command, type Completed, lastLines } from "../command.ts";
import type { Host } from "../host.ts";
import { mounts } from "./mounts.ts";
import { ProblemError } from "../../base/problem.ts";

/**
 * Whether the file system on a block device is mounted. A mounted one is marked as not left in order, and a check would repair blocks that
 * the kernel writes to. fsck.vfat does not refuse that; e2fsck and xfs_repair do.
 */
export async function isMounted(host: Host, device: string): Promise<boolean> {
  const number = (await host.readText(`/sys/class/block/${await kernelName(host, device)}/dev`))?.trim();
  return number !== undefined && (await mounts(host)).some((mount) => mount.device === number);
}

const checks = { ext4: { check: checkExt4, saysClean: saysCleanExt4 }, vfat: { check: checkVfat, saysClean: saysCleanFat } };

/**
 * Checks an unmounted file system and repairs what needs no decision.
 *
 * @param evenIfClean without it, no process is started for one whose superblock says that it is clean
 * @returns true when something was repaired
 */
export async function checkFileSystem(host: Host, kind: "ext4" | "vfat", device: string, { evenIfClean = false } = {}): Promise<boolean> {
  const { check, saysClean } = checks[kind];
  return (evenIfClean || !(await saysClean(host, device))) && check(host, device);
}

/**
 * A superblock that was half written at a power cut has a wrong checksum. Its writes at a mount or unmount are in no journal. A small file
 * system (128 MiB with blocks of 4 KiB) has no copy of it. Then neither the kernel nor e2fsck can go on. The two halves differ in times and
 * counters only. So it gets a new checksum and is marked as not clean, for which e2fsck inspects everything. A superblock with other damage
 * does not pass. One that e2fsck still cannot use is restored as it was.
 */
async function checkExt4(host: Host, device: string): Promise<boolean> {
  const first = await e2fsck(host, device);
  const torn = first.status >= UNCORRECTED ? await tornSuperblock(host, device) : undefined;
  // debugfs(8): -n ignores wrong checksums, and its writes have correct ones.
  if (torn !== undefined) await host.run({ program: "debugfs", args: ["-w", "-n", "-R", "dirty", device], okStatuses: [0, 1] });
  const { status, stdout, stderr } = torn === undefined ? first : await e2fsck(host, device);
  if (torn !== undefined && status >= OPERATIONAL) await host.writeInPlace(device, torn, EXT4_SUPERBLOCK);
  if (status >= UNCORRECTED) throw damaged(device, "ext4", `${lastLines(stdout, 3)} ${lastLines(stderr, 2)}`, `e2fsck -f ${device}`);
  return torn !== undefined || status !== 0;
}

const UNCORRECTED = 4;
const OPERATIONAL = 8;

/**
 * e2fsck(8): 1 errors corrected, 2 corrected and the system should be rebooted (only for a mounted one), 4 left uncorrected, 8 operational
 * error. -p asks no questions.
 */
function e2fsck(host: Host, device: string): Promise<Completed> {
  return host.run({ program: "e2fsck", args: ["-p", device], okStatuses: [0, 1, 2, 4, 8], timeout: 30 * 60_000 });
}

async function checkVfat(host: Host, device: string): Promise<boolean> {
  // fsck.fat(8): 0 clean, 1 recoverable errors (with -a: repaired), 2 usage error or it could not check.
  const { status, stdout, stderr } = await host.run({ program: "fsck.vfat", args: ["-a", device], okStatuses: [0, 1, 2] });
  if (status === 2) throw damaged(device, "vfat", `${lastLines(stdout, 3)} ${lastLines(stderr, 2)}`, `fsck.vfat -r ${device}`);
  return status !== 0;
}

/**
 * Repairs an unmounted xfs and keeps its log: xfs_repair(8) changes no file system whose log holds changes, and reports that by its exit
 * status.
 *
 * @returns "log-in-the-way" where the log holds changes or cannot be read: at most a superblock was repaired then
 */
export async function repairXfs(host: Host, device: string): Promise<"repaired" | "log-in-the-way"> {
  const { status } = await host.run({ ...xfsRepair(device, []), okStatuses: [0, 2] });
  return status === 0 ? "repaired" : "log-in-the-way";
}

/** The same, but discards the log first. Changes that are only in the log are lost, even if they were synced. */
export async function repairXfsWithoutLog(host: Host, device: string): Promise<void> {
  await host.run(xfsRepair(device, ["-L"]));
}

function xfsRepair(device: string, options: readonly string[]): Command {
  return {
    program: "xfs_repair",
    args: [...options, device],
    timeout: 60 * 60_000,
    todo: `save what is there before anything else: xfs_metadump ${device} FILE`,
  };
}

function damaged(device: string, fileSystem: string, words: string, repair: string): ProblemError {
  return new ProblemError({
    code: "file-system-damaged",
    what: `the ${fileSystem} file system on ${device} is damaged and cannot be repaired without a decision`,
    found: words.trim(),
    todo: `it was not mounted; inspect it with ${repair}`,
  });
}
