import type { BlockDevice } from "../system/disks/lsblk.ts";
import type { Mount } from "../system/disks/mounts.ts";
import { LARGE_DRIVE } from "./hardware-rules.ts";

/** A drive of the machine, and why the installer would leave it alone; `undefined` where it would take it. */
export interface ConsideredDrive {
  readonly device: BlockDevice;
  readonly leftBecause: string | undefined;
  /** Where something of it is mounted, however deep it lies. */
  readonly mountPoints: readonly string[];
}

/**
 * Each drive, in the order of their names, and whether the installer may take it. What this system runs from is told by what is mounted: the
 * stick shares its partitions' UUIDs with the disk of a guest.
 */
export function considerDrives(devices: readonly BlockDevice[], mounts: readonly Mount[]): readonly ConsideredDrive[] {
  return devices
    .filter((device) => device.bytes > 0 || (device.type === "disk" && !isOfMemory(device)))
    .toSorted((one, two) => (one.path < two.path ? -1 : 1))
    .map((device) => {
      const mountPoints = mountPointsOf(device, mounts);
      return { device, mountPoints, leftBecause: reasonToLeave(device, mountPoints) };
    });
}

function reasonToLeave(device: BlockDevice, mountPoints: readonly string[]): string | undefined {
  const running = mountPoints.find((point) => !isOfVisitor(point));
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

/** Swap counts. */
function mountPointsOf(device: BlockDevice, mounts: readonly Mount[]): readonly string[] {
  const own = mounts.filter((mount) => mount.device === device.number || mount.source === device.path).map((mount) => mount.mountPoint);
  return [...new Set([...device.mountPoints, ...own, ...device.children.flatMap((child) => mountPointsOf(child, mounts))])];
}

/** Where people and desktops mount what is not a part of the system. */
function isOfVisitor(mountPoint: string): boolean {
  return /^\/(?:media|mnt|run\/media)(?:\/|$)/.test(mountPoint);
}
