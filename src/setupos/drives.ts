import type { BlockDevice } from "../system/disks/lsblk.ts";
import type { Mount } from "../system/disks/mounts.ts";
import { LARGE_DRIVE } from "./hardware-rules.ts";

/** A drive of the machine, and why the installer would leave it alone; `undefined` where it would take it. */
export interface ConsideredDrive {
  readonly device: BlockDevice;
  readonly leftBecause: string | undefined;
}

/**
 * Each drive, in the order of their names, and whether the installer may take it. What this system runs from is told by what is mounted: the
 * stick shares its partitions' UUIDs with the disk of a guest.
 */
export function considerDrives(devices: readonly BlockDevice[], mounts: readonly Mount[]): readonly ConsideredDrive[] {
  return devices
    .filter((device) => device.bytes > 0 || (device.type === "disk" && !isOfMemory(device)))
    .toSorted((one, two) => (one.path < two.path ? -1 : 1))
    .map((device) => ({ device, leftBecause: reasonToLeave(device, mounts) }));
}

/** The drives that it would take. */
export function largeDrives(considered: readonly ConsideredDrive[]): readonly BlockDevice[] {
  return considered.filter(({ leftBecause }) => leftBecause === undefined).map(({ device }) => device);
}

function reasonToLeave(device: BlockDevice, mounts: readonly Mount[]): string | undefined {
  const running = mountPointsOf(device, mounts).find((point) => !isOfVisitor(point));
  if (running !== undefined) return `this system runs from it: ${running} is on it`;
  if (device.type !== "disk") return `it is no drive: ${device.type}`;
  if (isOfMemory(device)) return "it is no drive: memory";
  if (device.bytes === 0) return "it has no size: no medium is in it";
  if (device.transport === "usb") return "it is connected by USB";
  if (device.isRemovable) return "its medium can be removed";
  if (device.isReadOnly) return "it cannot be written to";
  if (device.bytes < LARGE_DRIVE) return "it is smaller than 1 TiB";
  return undefined;
}

function isOfMemory({ name }: BlockDevice): boolean {
  return /^(?:zram|ram)\d/.test(name);
}

/** Where something of the drive is mounted, however deep it lies. Swap counts. */
function mountPointsOf(device: BlockDevice, mounts: readonly Mount[]): readonly string[] {
  const own = mounts.filter((mount) => mount.device === device.number || mount.source === device.path).map((mount) => mount.mountPoint);
  return [...new Set([...device.mountPoints, ...own, ...device.children.flatMap((child) => mountPointsOf(child, mounts))])];
}

/** Where people and desktops mount what is not a part of the system. */
function isOfVisitor(mountPoint: string): boolean {
  return /^\/(?:media|mnt|run\/media)(?:\/|$)/.test(mountPoint);
}
