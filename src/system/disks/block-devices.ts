import { gptNames } from "./gpt.ts";
import type { Host } from "../host.ts";
import { mountAt } from "./mounts.ts";
import { ProblemError } from "../../base/problem.ts";

/** A partition as the kernel knows it: read from sysfs, without a process and without waiting for udev's links. */
export interface Partition {
  /** Kernel name: "vda10". */
  readonly name: string;
  /** "/dev/vda10"; devtmpfs makes the node together with the device. */
  readonly device: string;
  readonly number: number;
  /** The GPT partition name. */
  readonly label: string;
  readonly bytes: number;
  /** "254:10", as in mountinfo. */
  readonly deviceNumber: string;
}

/** A device-mapper device: an opened LUKS device or an active logical volume. */
export interface Mapping extends Omit<Partition, "number" | "label"> {
  /** "CRYPT-LUKS2-<uuid without hyphens>-<name>" or "LVM-<group><volume>": names the maker and the source of the mapping. */
  readonly uuid: string;
}

/** sysfs counts sizes in units of 512 bytes, whatever the device's own sector size (Documentation/ABI/stable/sysfs-block). */
const SYSFS_SECTOR = 512;

/**
 * Kernel name of the disk that holds the root file system ("vda"). Partitions of the system are searched on that disk alone. So a second
 * disk with the same partition names is never mistaken for ours.
 */
export async function rootDisk(host: Host): Promise<string> {
  const root = await mountAt(host, "/");
  if (root === undefined) throw rootDiskUnknown("no mount at /");
  return diskOf(host, root.device);
}

function rootDiskUnknown(found: string): ProblemError {
  return new ProblemError({
    code: "root-disk-unknown",
    what: "cannot tell which disk the root file system is on",
    found,
    expected: "a root file system on a partition of a disk",
  });
}

async function diskOf(host: Host, device: string): Promise<string> {
  const link = await host.readLink(`/sys/dev/block/${device}`);
  if (link === undefined) throw rootDiskUnknown(`no block device ${device} in /sys/dev/block`);
  const [name = "", parent = ""] = link.split("/").toReversed();
  if ((await host.readText(`/sys/class/block/${name}/partition`)) !== undefined) return parent;
  // dm-verity: the root is a mapping, and the device below it lies on the disk.
  const below = (await host.list(`/sys/class/block/${name}/slaves`))?.[0];
  if (below === undefined) return name;
  const number = await host.readText(`/sys/class/block/${below}/dev`);
  return diskOf(host, (number ?? "").trim());
}

/** The partitions of a disk, in order of their numbers. */
export async function partitionsOf(host: Host, disk: string): Promise<readonly Partition[]> {
  const found: Partition[] = [];
  let onDisk: ReadonlyMap<number, string> | undefined;
  for (const name of (await host.list(`/sys/class/block/${disk}`)) ?? []) {
    const folder = `/sys/class/block/${name}`;
    if (!name.startsWith(disk) || (await host.readText(`${folder}/partition`)) === undefined) continue;
    const event = parseUevent((await host.readText(`${folder}/uevent`)) ?? "");
    const number = Number(event.get("PARTN") ?? (await host.readText(`${folder}/partition`)));
    let label = event.get("PARTNAME");
    if (label === undefined) {
      onDisk ??= await gptNames(host, disk);
      label = onDisk.get(number) ?? "";
    }
    found.push({
      name,
      device: `/dev/${name}`,
      number,
      label,
      bytes: Number(await host.readText(`${folder}/size`)) * SYSFS_SECTOR,
      deviceNumber: ((await host.readText(`${folder}/dev`)) ?? "").trim(),
    });
  }
  return found.toSorted((a, b) => a.number - b.number);
}

/**
 * The partition of that GPT name on the system's own disk, or `undefined` when there is none.
 *
 * @throws ProblemError when two have the name
 */
export async function findPartition(host: Host, label: string): Promise<Partition | undefined> {
  const disk = await rootDisk(host);
  const found = (await partitionsOf(host, disk)).filter((partition) => partition.label === label);
  if (found.length > 1) {
    throw new ProblemError({
      code: "partition-ambiguous",
      what: `cannot tell which partition of /dev/${disk} is ${label}`,
      found: found.map(({ name }) => name).join(" and "),
      expected: "one partition of that name",
      todo: `rename the wrong one: sfdisk --part-label /dev/${disk} NUMBER NAME`,
    });
  }
  return found[0];
}

/** As `findPartition`, for a partition that is part of every image. @throws ProblemError when there is none */
export async function requirePartition(host: Host, label: string): Promise<Partition> {
  const partition = await findPartition(host, label);
  if (partition !== undefined) return partition;
  const disk = await rootDisk(host);
  throw new ProblemError({
    code: "partition-not-found",
    what: `there is no partition named ${label} on /dev/${disk}`,
    found: (await partitionsOf(host, disk)).map(({ name, label: other }) => `${name} ${other}`).join(", ") || "no partitions",
    todo: "compare the disk with the layout of the image: sfdisk --list",
  });
}

/** A device that holds a part of the system: a partition of its disk, or a logical volume on it. */
export type SystemDevice = Pick<Partition, "name" | "device" | "bytes" | "deviceNumber">;

/**
 * The device of that name in the layout: a GPT partition name, or `group/volume` for a logical volume (lvm(8)).
 *
 * @throws ProblemError when there is none, when two partitions have the name, or when the volume is on another disk: a second disk that was
 *   made from the same image has a group of the same name
 */
export async function requireDevice(host: Host, name: string): Promise<SystemDevice> {
  return name.includes("/") ? requireVolume(host, name) : requirePartition(host, name);
}

async function requireVolume(host: Host, name: string): Promise<SystemDevice> {
  const mapped = name
    .split("/")
    .map((part) => part.replaceAll("-", "--"))
    .join("-");
  const mapping = (await mappings(host)).get(mapped);
  if (mapping === undefined) {
    throw new ProblemError({
      code: "logical-volume-absent",
      what: `there is no logical volume ${name}, or it is not active`,
      found: `no device-mapper device ${mapped}`,
      expected: "it, activated by the initramfs",
      todo: "compare the volume group with the layout of the image: lvs; vgchange --activate y",
    });
  }
  const [disk, own] = [await diskOf(host, mapping.deviceNumber), await rootDisk(host)];
  if (disk === own) return { ...mapping, name: mapping.device.slice("/dev/".length) };
  throw new ProblemError({
    code: "volume-elsewhere",
    what: `the logical volume ${name} is not on the disk that the system runs from`,
    found: `/dev/${disk}`,
    expected: `/dev/${own}`,
    todo: "remove the other disk, which has a volume group of the same name",
  });
}

/** The kernel's name of a block device: names below /dev/mapper are links to it. */
export async function kernelName(host: Host, device: string): Promise<string> {
  // EINVAL: it is not a link.
  const link = await host.readLink(device).catch(() => undefined);
  return (link ?? device).split("/").at(-1) ?? "";
}

/** The device-mapper devices, by name. */
export async function mappings(host: Host): Promise<ReadonlyMap<string, Mapping>> {
  const found = new Map<string, Mapping>();
  for (const node of (await host.list("/sys/class/block")) ?? []) {
    if (!node.startsWith("dm-")) continue;
    const name = (await host.readText(`/sys/class/block/${node}/dm/name`))?.trim();
    if (name === undefined) continue;
    found.set(name, {
      name,
      uuid: ((await host.readText(`/sys/class/block/${node}/dm/uuid`)) ?? "").trim(),
      device: `/dev/${node}`,
      bytes: Number(await host.readText(`/sys/class/block/${node}/size`)) * SYSFS_SECTOR,
      deviceNumber: ((await host.readText(`/sys/class/block/${node}/dev`)) ?? "").trim(),
    });
  }
  return found;
}

/** KEY=value lines as in /sys/…/uevent. */
function parseUevent(text: string): ReadonlyMap<string, string> {
  return new Map(text.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

/** Bytes of a disk, named as in /sys/class/block. @throws ProblemError, retryable, when the disk is missing */
export async function diskBytes(host: Host, disk: string): Promise<number> {
  const sectors = await host.readText(`/sys/class/block/${disk}/size`);
  if (sectors === undefined)
    throw new ProblemError({ code: "disk-size-unknown", what: `cannot tell how large /dev/${disk} is` }, { retryable: true });
  return Number(sectors) * SYSFS_SECTOR;
}
