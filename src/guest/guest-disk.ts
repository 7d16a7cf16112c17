import { join } from "node:path";
import { ProblemError, toProblem } from "../base/problem.ts";
import { CommandError } from "../system/command.ts";
import { type DiskRange, findFatFile } from "../system/disks/fat-file.ts";
import { mountErrno } from "../system/disks/mount-error.ts";
import { mount, mountAt, type MountRequest, unmount } from "../system/disks/mounts.ts";
import { readPartitionTable } from "../system/disks/sfdisk.ts";
import type { Host } from "../system/host.ts";
import { readRanges } from "../upgrade/grubenv-file.ts";
import type { GuestPlaces } from "./places.ts";

// The guest's disk, read by the host. The guest may have written anything there.

/** What the guest has on its disk cannot be used. That is no fault of the host's, and no failure to read it. */
export class UnusableError extends ProblemError {}

/** The boot loader's block of the guest, and where it is on the disk. */
export interface GuestBlock {
  readonly bytes: Uint8Array;
  readonly ranges: readonly DiskRange[];
}

/**
 * The boot loader's block, read without the kernel: the guest may have its file system mounted.
 *
 * @returns `undefined` when there is none
 * @throws ProblemError when that cannot be found out
 */
export async function readGuestBlock(host: Host, places: GuestPlaces): Promise<GuestBlock | undefined> {
  const { disk, partitions } = places;
  const file = await findFatFile(host, disk, await partitionNamed(host, places, partitions.grub), "grubenv");
  if (file === undefined) return undefined;
  return { bytes: await readRanges(host, disk, file.clusters, file.bytes), ranges: file.clusters };
}

/**
 * Mounts the boot partition of a slot, to read, while `use` runs. Only while no guest runs. What an earlier run left mounted is unmounted first.
 *
 * @param label the partition's name. @param use gets the mount point
 * @throws UnusableError when it holds no file system that can be mounted, or a damaged one. ProblemError when that cannot be found out
 */
export async function withBootPartition<T>(
  host: Host,
  places: GuestPlaces,
  label: string,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const { disk, folder } = places;
  const { start, bytes } = await partitionNamed(host, places, label);
  const mountPoint = join(folder, "boot");
  await host.makeFolder(mountPoint, { mode: 0o700 });
  while ((await mountAt(host, mountPoint)) !== undefined) await unmount(host, mountPoint);
  // noload: a journal that the guest left is not replayed, which would be a write. errors=continue: otherwise the guest's superblock says what
  // this kernel does where it finds damage, and one answer is a panic, for a file system that is only read too (ext4(5)).
  const options = ["ro", "noload", "errors=continue", "nosuid", "nodev", "noexec", "loop", `offset=${start}`, `sizelimit=${bytes}`];
  const request = { source: disk, mountPoint, fileSystem: "ext4", options };
  try {
    await mount(host, request);
  } catch (error) {
    if (error instanceof CommandError && isFaultOfContent(error, request))
      throw new UnusableError({
        ...error.problem,
        code: "guest-partition-unusable",
        what: `${label} of the guest's disk cannot be mounted`,
      });
    throw error;
  }
  try {
    return await use(mountPoint);
  } catch (error) {
    if (!isDamage(error)) throw error;
    throw new UnusableError({
      ...toProblem(error),
      code: "guest-partition-damaged",
      what: `${label} of the guest's disk is damaged`,
      expected: "files whose metadata fits its checksums",
      todo: "guestos-boot guest slot shows what the next start boots; install the GuestOS again, if there is no other slot",
    });
  } finally {
    await unmount(host, mountPoint);
  }
}

/** Whether the kernel could read what is there, and it is no file system. It speaks of the loop device, and not of the disk. */
function isFaultOfContent(error: CommandError, request: MountRequest): boolean {
  const source = /\/dev\/loop\d+/.exec(error.stderr)?.[0] ?? request.source;
  return ["EINVAL", "EUCLEAN", "EBADMSG"].includes(mountErrno(error, { ...request, source }));
}

/** EBADMSG and EUCLEAN, which Node has no names for: ext4 found a checksum that is wrong, or a structure. */
const DAMAGE = [-74, -117];

/** Whether a file of the partition could not be read because of what is in it. What it is copied to is a tmpfs, which has no such errors. */
function isDamage(error: unknown): boolean {
  return error instanceof Error && "errno" in error && typeof error.errno === "number" && DAMAGE.includes(error.errno);
}

async function partitionNamed(host: Host, { disk }: GuestPlaces, label: string): Promise<DiskRange> {
  const found = (await readPartitionTable(host, disk)).partitions.filter((each) => each.label === label);
  const [partition, second] = found;
  if (partition !== undefined && second === undefined) return partition;
  throw new ProblemError({
    code: "guest-partition-unclear",
    what: `cannot tell which partition of the guest's disk is ${label}`,
    where: { file: disk },
    found: `${found.length} of that name`,
    expected: "one",
    todo: "install the GuestOS again, if its disk has no partitions",
  });
}
