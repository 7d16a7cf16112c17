import { UDEV_DATA, waitForDeviceEvent } from "../system/disks/device-event.ts";
import { join } from "node:path";
import type { Layout } from "../config/layout/layout.ts";
import { partitionsOf, rootDisk } from "../system/disks/block-devices.ts";
import { type FatBootSector, parseFatBootSector } from "../system/disks/fat.ts";
import type { Host } from "../system/host.ts";
import type { MediumSource } from "./medium-source.ts";
import { mount, mountAt, unmount } from "../system/disks/mounts.ts";
import { type Problem, ProblemError, toProblem } from "../base/problem.ts";

/** A device that may be the configuration medium. */
export interface Candidate {
  /** "/dev/sdb1". */
  readonly device: string;
  /** The reason: "removable", "serial config", "label CONFIG", "label CONFIG in the boot sector". */
  readonly because: string;
}

export interface Survey {
  readonly candidates: readonly Candidate[];
  /** Every device that is no candidate, and why, for the message when no medium is found. */
  readonly seen: readonly string[];
}

const BLOCK = "/sys/class/block";
/**
 * Finds the block devices that may hold the injected configuration. These are removable devices, devices with the serial `config`, and file
 * systems labelled CONFIG, in upper or lower case. A removable device, or one with that serial, counts by its first partition, if it has
 * any. The system's own disk never counts, whatever its serial or label.
 *
 * It reads sysfs and udev's data, and starts no process. udev takes the label of a VFAT from the root folder alone, so the first sector is
 * read if udev reports no label.
 */
export async function surveyMedia(host: Host, layout: Layout): Promise<Survey> {
  const own = await ownDisk(host);
  const candidates = new Map<string, Candidate>();
  const seen: string[] = [];
  for (const disk of (await host.list(BLOCK)) ?? []) {
    if ((await host.readText(`${BLOCK}/${disk}/partition`)) !== undefined) continue;
    if (disk === own) {
      seen.push(`${disk} (the system's own disk)`);
      continue;
    }
    const partitions = (await partitionsOf(host, disk)).filter(({ bytes }) => bytes > 0).map(({ name }) => name);
    if ((await sizeOf(host, disk)) === 0) {
      // Unused loop devices and the like are not listed.
      if (await isRemovable(host, disk)) seen.push(`${disk} (removable, empty)`);
      continue;
    }
    const first = partitions[0] ?? disk;
    const reason = await diskReason(host, layout, disk);
    if (reason !== undefined) candidates.set(first, { device: `/dev/${first}`, because: reason });
    for (const name of [disk, ...partitions]) {
      if (candidates.has(name)) continue;
      const because = await labelReason(host, layout, name);
      if (because !== undefined) candidates.set(name, { device: `/dev/${name}`, because });
    }
    if (reason === undefined && !partitions.some((name) => candidates.has(name)) && !candidates.has(disk))
      seen.push(`${disk} (neither removable, nor of that serial or label)`);
  }
  return { candidates: [...candidates.values()], seen };
}

/** The disk of the root file system; `undefined` if the root is on no block device, as in a container. */
async function ownDisk(host: Host): Promise<string | undefined> {
  const root = await mountAt(host, "/");
  // Major number 0: "unnamed" devices of file systems without a block device (Documentation/admin-guide/devices.txt).
  return root === undefined || root.device.startsWith("0:") ? undefined : rootDisk(host);
}

async function diskReason(host: Host, layout: Layout, disk: string): Promise<string | undefined> {
  if (await isRemovable(host, disk)) return "removable";
  // sysfs has the serial of a virtio disk, and of an NVMe disk in a subfolder. For SCSI, SATA and USB disks, udev asks the device.
  const inSysfs = await Promise.all(["serial", "device/serial"].map((file) => host.readText(`${BLOCK}/${disk}/${file}`)));
  const { ID_SERIAL, ID_SERIAL_SHORT, ID_SCSI_SERIAL } = await udevProperties(host, disk);
  const serials = [...inSysfs, ID_SERIAL, ID_SERIAL_SHORT, ID_SCSI_SERIAL].map((serial) => serial?.trim());
  return serials.includes(layout.medium.serial) ? `serial ${layout.medium.serial}` : undefined;
}

async function labelReason(host: Host, layout: Layout, name: string): Promise<string | undefined> {
  const { ID_FS_LABEL: label, ID_FS_TYPE: type } = await udevProperties(host, name);
  const isMeant = (text: string): boolean => text.toUpperCase() === layout.medium.label;
  if (label !== undefined) return isMeant(label) ? `label ${label}` : undefined;
  if (type !== "vfat") return undefined;
  // A device that cannot be read has no label.
  const inBootSector = (await bootSectorOf(host, `/dev/${name}`).catch(() => undefined))?.label ?? "";
  host.signal.throwIfAborted();
  return isMeant(inBootSector) ? `label ${inBootSector} in the boot sector` : undefined;
}

async function bootSectorOf(host: Host, device: string): Promise<FatBootSector | undefined> {
  const sector = await host.readAt(device, 0, 512);
  return sector === undefined ? undefined : parseFatBootSector(sector);
}

async function isRemovable(host: Host, disk: string): Promise<boolean> {
  return (await host.readText(`${BLOCK}/${disk}/removable`))?.trim() === "1";
}

async function sizeOf(host: Host, name: string): Promise<number> {
  return Number((await host.readText(`${BLOCK}/${name}/size`)) ?? 0);
}

async function udevProperties(host: Host, name: string): Promise<Readonly<Partial<Record<UdevKey, string>>>> {
  const number = (await host.readText(`${BLOCK}/${name}/dev`))?.trim();
  return parseUdevData((number === undefined ? undefined : await host.readText(`${UDEV_DATA}/b${number}`)) ?? "");
}

const UDEV_KEYS = ["ID_FS_LABEL", "ID_FS_TYPE", "ID_SERIAL", "ID_SERIAL_SHORT", "ID_SCSI_SERIAL"] as const;
type UdevKey = (typeof UDEV_KEYS)[number];

export function parseUdevData(text: string): Readonly<Partial<Record<UdevKey, string>>> {
  const found: Partial<Record<UdevKey, string>> = {};
  for (const line of text.split("\n")) {
    const key = UDEV_KEYS.find((known) => line.startsWith(`E:${known}=`));
    if (key !== undefined) found[key] = line.slice(`E:${key}=`.length);
  }
  return found;
}

export interface Found<T> {
  /** "/dev/sdb1", or the path of a tar that was put directly onto the system. */
  readonly device: string;
  readonly result: T;
}

export interface Search<T> {
  readonly found: readonly Found<T>[];
  readonly seen: readonly string[];
}

/**
 * Finds every medium with a tar, or with config.json itself, and passes each to `read`, during which the medium is mounted read-only.
 * Candidates without either (an empty drive, another file system) are named in `seen`. A tar counts before the files beside it, as on the
 * nodes of dfinity/ic (init-config.sh).
 *
 * @param read an error that it throws ends the search
 */
export async function searchMedia<T>(host: Host, layout: Layout, read: (source: MediumSource) => Promise<T>): Promise<Search<T>> {
  const { directTar, mountPoint, tarName, guestosConfig } = layout.medium;
  const found: Found<T>[] = [];
  if ((await host.stat(directTar))?.kind === "file")
    found.push({ device: directTar, result: await read({ kind: "tar", path: directTar, title: directTar }) });
  const survey = await surveyMedia(host, layout);
  const seen = [...survey.seen];
  for (const { device, because } of survey.candidates) {
    const obstacle = await whyNotVfat(host, device);
    if (obstacle !== undefined) {
      seen.push(`${device} (${because}; ${obstacle})`);
      continue;
    }
    const outcome = await whileMounted(host, device, mountPoint, async () => {
      const tar = join(mountPoint, tarName);
      if ((await host.stat(tar))?.kind === "file")
        return { device, result: await read({ kind: "tar", path: tar, title: `${device}: ${tarName}` }) };
      if (guestosConfig === undefined) return `no ${tarName} in it`;
      if ((await host.stat(join(mountPoint, guestosConfig)))?.kind === "file")
        return { device, result: await read({ kind: "folder", path: mountPoint, title: device }) };
      return `neither ${tarName} nor ${guestosConfig} in it`;
    });
    if (typeof outcome === "string") seen.push(`${device} (${because}; ${outcome})`);
    else found.push(outcome);
  }
  return { found, seen };
}

/** @returns why a device cannot be a medium, or `undefined` when it holds a FAT file system */
async function whyNotVfat(host: Host, device: string): Promise<string | undefined> {
  try {
    return (await bootSectorOf(host, device)) === undefined ? "no VFAT on it" : undefined;
  } catch (error) {
    host.signal.throwIfAborted();
    // A drive without a disc still has a size; opening it fails with ENOMEDIUM.
    const { found = "" } = toProblem(error);
    return /ENOMEDIUM|ENXIO/.test(found) ? "no medium in the drive" : `cannot be read: ${found}`;
  }
}

/** @returns what `use` returns, or the message of mount(8) when the device cannot be mounted */
async function whileMounted<T>(host: Host, device: string, mountPoint: string, use: () => Promise<T>): Promise<T | string> {
  // A run that was killed may have left a mount.
  if ((await mountAt(host, mountPoint)) !== undefined) await unmount(host, mountPoint);
  await host.makeFolder(mountPoint, { mode: 0o700 });
  try {
    // umask, because the medium holds keys: while mounted, the folder has the mode of the mounted root folder, and not its own.
    await mount(host, { source: device, mountPoint, fileSystem: "vfat", options: ["ro", "umask=0077", "nodev", "nosuid", "noexec"] });
  } catch (error) {
    host.signal.throwIfAborted();
    await host.remove(mountPoint);
    return `cannot be mounted: ${toProblem(error).found ?? toProblem(error).what}`;
  }
  const release = async (): Promise<void> => {
    await unmount(host, mountPoint);
    await host.remove(mountPoint);
  };
  const result = await use().catch(async (error: unknown) => {
    // The read error is more useful than an unmount error that follows it (most likely because the unit was stopped).
    await release().catch(() => undefined);
    throw asMediumError(error, device);
  });
  await release();
  return result;
}

/** What the kernel says of a file on a medium, as an error of the medium: it is damaged, or went away. */
function asMediumError(error: unknown, device: string): unknown {
  if (!(error instanceof Error && "syscall" in error)) return error;
  const { what, found } = toProblem(error);
  return new ProblemError({
    code: "medium-not-readable",
    what: `the configuration medium on ${device} cannot be read`,
    found: found === undefined ? what : `${what}: ${found}`,
    expected: "a file system and a device without errors",
    todo: "make the medium again, or use another one, and boot again",
  });
}

/**
 * The error for "no medium". Retryable: the next try comes at once when udev reports a changed device.
 *
 * @param rest what the node does without one: then the error is `partial`
 */
export function noMedium(layout: Layout, seen: readonly string[], { rest }: { readonly rest?: string } = {}): ProblemError {
  const { label, serial, tarName, directTar, guestosConfig } = layout.medium;
  const content = guestosConfig === undefined ? tarName : `${tarName} or ${guestosConfig}`;
  return new ProblemError(
    {
      code: "medium-not-found",
      what: `no configuration medium was found${rest === undefined ? "" : `; ${rest}`}`,
      found: seen.join(", ") || "no block devices",
      expected: `a VFAT file system with ${content} on a device that is removable, has the serial ${serial} or the label ${label}; or ${directTar}`,
      todo: "attach the medium and boot again; guestos-boot can build one (docs/configuration.md)",
    },
    { retryable: true, wake: waitForDeviceEvent, partial: rest !== undefined },
  );
}

/** Two media that do not say the same. @param found the names of both */
export function mediaDiffer(found: string): Problem {
  return {
    code: "media-differ",
    what: "there are two configuration media, and their contents differ",
    found,
    expected: "one medium",
    todo: "detach the wrong one and boot again",
  };
}
