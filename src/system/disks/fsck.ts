import { kernelName } from "./block-devices.ts";
import { EXT4_SUPERBLOCK, saysCleanExt4, saysCleanFat, tornSuperblock } from "./clean-file-system.ts";
import { type Command, type Completed, lastLines } from "../command.ts";
import type { Host } from "../host.ts";
import { mounts } from "./mounts.ts";
import { ProblemError } from "../../base/problem.ts";

/**
 * Whether the file system on a block device is mounted somewhere. It then says of itself that it was not left in order, and a check would
 * repair what the kernel is writing to: fsck.vfat does not ask (e2fsck and xfs_repair refuse).
 */
export async function isMounted(host: Host, device: string): Promise<boolean> {
  const number = (await host.readText(`/sys/class/block/${await kernelName(host, device)}/dev`))?.trim();
  return number !== undefined && (await mounts(host)).some((mount) => mount.device === number);
}

/**
 * Checks an ext4 file system that is not mounted and mends what can be mended without asking, unless its superblock says
 * that there is nothing to do: then no process is started.
 *
 * @returns true when something was mended
 */
export async function checkExt4UnlessClean(host: Host, device: string): Promise<boolean> {
  return !(await saysCleanExt4(host, device)) && checkExt4(host, device);
}

/** The same for VFAT. */
export async function checkVfatUnlessClean(host: Host, device: string): Promise<boolean> {
  return !(await saysCleanFat(host, device)) && checkVfat(host, device);
}

/**
 * Checks it whatever it says of itself.
 *
 * A superblock that was written by half at a power cut has a checksum that is not its own. One that was written as the file system
 * was mounted or unmounted is in no journal, and where the file system is so small that it has no copy of it (128 MiB with blocks of 4 KiB),
 * neither the kernel nor e2fsck goes on from there. Its two halves differ in times and counters only. So it is given a checksum again,
 * and marked as not clean, for which e2fsck inspects everything: a superblock that is wrong in more than that does not pass, and
 * one that e2fsck still cannot use is put back as it was.
 *
 * @returns true when something was repaired
 */
export async function checkExt4(host: Host, device: string): Promise<boolean> {
  const first = await e2fsck(host, device);
  const torn = first.status >= UNCORRECTED ? await tornSuperblock(host, device) : undefined;
  // debugfs(8): -n takes it without a look at the checksums; what it writes has right ones.
  if (torn !== undefined) await host.run({ program: "debugfs", args: ["-w", "-n", "-R", "dirty", device], okStatuses: [0, 1] });
  const { status, stdout, stderr } = torn === undefined ? first : await e2fsck(host, device);
  if (torn !== undefined && status >= OPERATIONAL) await host.writeInPlace(device, torn, EXT4_SUPERBLOCK);
  if (status >= UNCORRECTED) throw damaged(device, "ext4", `${lastLines(stdout, 3)} ${lastLines(stderr, 2)}`, `e2fsck -f ${device}`);
  return torn !== undefined || status !== 0;
}

const UNCORRECTED = 4;
const OPERATIONAL = 8;

/** e2fsck(8): 1 errors corrected, 2 corrected and the system should be rebooted (only for a mounted one), 4 left uncorrected, 8 operational error. -p asks nothing. */
function e2fsck(host: Host, device: string): Promise<Completed> {
  return host.run({ program: "e2fsck", args: ["-p", device], okStatuses: [0, 1, 2, 4, 8], timeout: 30 * 60_000 });
}

/** The same for VFAT. */
export async function checkVfat(host: Host, device: string): Promise<boolean> {
  // fsck.fat(8): 0 clean, 1 recoverable errors (with -a: mended), 2 usage or it could not look.
  const { status, stdout, stderr } = await host.run({ program: "fsck.vfat", args: ["-a", device], okStatuses: [0, 1, 2] });
  if (status === 2) throw damaged(device, "vfat", `${lastLines(stdout, 3)} ${lastLines(stderr, 2)}`, `fsck.vfat -r ${device}`);
  return status !== 0;
}

/**
 * Repairs an xfs that is not mounted, and keeps its log: xfs_repair(8) touches none that holds changes, and says so by its exit status.
 *
 * @returns "log-in-the-way" where the log holds changes, or cannot be understood: of the rest it has then repaired a superblock at most
 */
export async function repairXfs(host: Host, device: string): Promise<"repaired" | "log-in-the-way"> {
  const { status } = await host.run({ ...xfsRepair(device, []), okStatuses: [0, 2] });
  return status === 0 ? "repaired" : "log-in-the-way";
}

/** The same after it has thrown the log away: what stands in the log alone is lost, also what was synced. */
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
    what: `the ${fileSystem} file system on ${device} is damaged and cannot be mended without a decision`,
    found: words.trim(),
    todo: `it was not mounted; look at it with ${repair}`,
  });
}
