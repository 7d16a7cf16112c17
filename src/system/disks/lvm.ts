import { randomInt } from "node:crypto";
import { ProblemError } from "../../base/problem.ts";
import * as z from "../../base/schema.ts";
import { CommandError, type Completed } from "../command.ts";
import type { Host } from "../host.ts";
import { announceContent } from "./device-event.ts";
import { parseToolJson } from "../tool-json.ts";
import { lvmUuid } from "./signature.ts";

/**
 * LVM's messages for a failure that passes: its tools open devices exclusively while udev probes them. Every other failure also has exit
 * status 5 (lvm(8)), and would happen again.
 */
const RACES = [/can't open .* exclusively/i, /device or resource busy/i, /failed to (?:activate|create) .*: device .* in use/i];

/**
 * All calls see those physical volumes and nothing else (--devices). So a second disk with a group of the same name, or a medium that
 * pretends to have one, is never inspected.
 */
async function lvm(host: Host, devices: string | readonly string[], command: string, args: readonly string[]): Promise<Completed> {
  const seen = typeof devices === "string" ? devices : devices.join(",");
  try {
    return await host.run({ program: command, args: [...args, "--devices", seen] });
  } catch (error) {
    if (error instanceof CommandError && RACES.some((race) => race.test(error.stderr))) throw error.asRetryable();
    throw error;
  }
}

/** LVM reports byte counts as text, so that they stay exact. */
const bytes = z.pipe(z.string(), z.transform(Number));
const Report = z.object({
  report: z.array(
    z.object({
      vg: z._default(z.array(z.object({ vg_name: z.string(), vg_size: bytes, vg_extent_size: bytes, vg_extent_count: bytes })), []),
      pv: z._default(z.array(z.object({ pv_name: z.string(), pv_uuid: z.string() })), []),
      lv: z._default(z.array(z.object({ lv_name: z.string(), lv_size: bytes })), []),
    }),
  ),
});

export interface VolumeGroup {
  readonly name: string;
  readonly extentBytes: number;
  readonly extents: number;
  readonly bytes: number;
  /** Logical volumes: name and bytes. */
  readonly volumes: ReadonlyMap<string, number>;
}

/** Of each kind of report; those of segments cannot be left out. */
const FIELDS = {
  vg: "vg_name,vg_size,vg_extent_size,vg_extent_count",
  pv: "pv_name,pv_uuid",
  lv: "lv_name,lv_size",
  seg: "lv_uuid",
  pvseg: "pv_uuid",
};

/** The volume group on that physical volume, or `undefined` when it belongs to none. */
export async function volumeGroupOn(host: Host, device: string): Promise<VolumeGroup | undefined> {
  const form = ["fullreport", "--reportformat", "json", "--units", "b", "--nosuffix"];
  const fields = Object.entries(FIELDS).flatMap(([report, names]) => ["--configreport", report, "-o", names]);
  const { stdout } = await lvm(host, device, "lvm", [...form, ...fields]);
  return groupIn(stdout);
}

/** The same, from LVM's JSON report. A physical volume without a group reports a group without a name. */
export function groupIn(json: string): VolumeGroup | undefined {
  for (const { vg, lv } of Report.parse(JSON.parse(json)).report) {
    const group = vg[0];
    if (group === undefined || group.vg_name === "") continue;
    return {
      name: group.vg_name,
      extentBytes: group.vg_extent_size,
      extents: group.vg_extent_count,
      bytes: group.vg_size,
      volumes: new Map(lv.map(({ lv_name, lv_size }) => [lv_name, lv_size])),
    };
  }
  return undefined;
}

/** What the label of a physical volume says of its group, to one who only looks. */
export interface GroupMember {
  readonly name: string;
  readonly uuid: string;
  /** Counts the changes of the group's metadata. */
  readonly changes: number;
  /** UUID of this physical volume. */
  readonly own: string;
  /** UUIDs of all of the group. */
  readonly members: readonly string[];
  /** Logical volumes: name and UUID. */
  readonly volumes: ReadonlyMap<string, string>;
}

const Membership = z.object({
  report: z.array(
    z.object({
      vg: z._default(z.array(z.object({ vg_name: z.string(), vg_uuid: z.string(), vg_seqno: bytes })), []),
      pv: z._default(z.array(z.object({ pv_name: z.string(), pv_uuid: z.string() })), []),
      lv: z._default(z.array(z.object({ lv_name: z.string(), lv_uuid: z.string() })), []),
    }),
  ),
});

/**
 * The group that a physical volume belongs to, also where the others of it are missing; `undefined` where it belongs to none. Each device is
 * asked alone: disks that were made from one image share every UUID.
 *
 * @throws CommandError, or ProblemError where LVM sees no physical volume there
 */
export async function groupMember(host: Host, device: string): Promise<GroupMember | undefined> {
  // A volume may be a physical volume of another group, which LVM by itself does not inspect.
  const form = ["fullreport", "--readonly", "--config", "devices/scan_lvs=1", "--reportformat", "json", "--units", "b", "--nosuffix"];
  const fields = { ...FIELDS, vg: "vg_name,vg_uuid,vg_seqno", lv: "lv_name,lv_uuid" };
  const { stdout } = await lvm(host, device, "lvm", [
    ...form,
    ...Object.entries(fields).flatMap(([report, names]) => ["--configreport", report, "-o", names]),
  ]);
  for (const { vg, pv, lv } of parseToolJson("lvm", stdout, Membership).report) {
    // One device is shown: it is the one that has a name, which LVM may have another one for. Those that are missing are "[unknown]".
    const own = pv.find(({ pv_name }) => pv_name.startsWith("/dev/"));
    if (own === undefined) continue;
    const group = vg[0];
    if (group === undefined || group.vg_name === "") return undefined;
    return {
      ...{ name: group.vg_name, uuid: group.vg_uuid, changes: group.vg_seqno, own: own.pv_uuid },
      members: pv.map(({ pv_uuid }) => pv_uuid),
      volumes: new Map(lv.map(({ lv_name, lv_uuid }) => [lv_name, lv_uuid])),
    };
  }
  throw new ProblemError({
    code: "physical-volume-not-read",
    what: `LVM cannot read its label on ${device}`,
    found: "a label, and no physical volume",
    expected: "a physical volume",
    todo: `inspect it: pvck --dump headers ${device}`,
  });
}

/**
 * Makes a physical volume of a UUID that was chosen before, so that an interrupted run recognises its own (pvcreate(8), --norestorefile).
 */
export async function createPhysicalVolume(host: Host, device: string, uuid: string): Promise<void> {
  await lvm(host, device, "pvcreate", ["--yes", "--uuid", uuid, "--norestorefile", device]);
  await announceContent(host, device);
}

export async function createVolumeGroup(host: Host, device: string, name: string): Promise<void> {
  await lvm(host, device, "vgcreate", [name, device]);
}

/** Makes and activates a volume of that many extents. Its first 4 KiB are zeroed, so that no old signature shows. */
export async function createVolume(host: Host, device: string, group: string, name: string, extents: number): Promise<void> {
  const cleared = ["--yes", "--zero", "y", "--wipesignatures", "y"];
  await lvm(host, device, "lvcreate", [...cleared, "--extents", String(extents), "--name", name, group]);
}

/** Extends a volume to that many extents. A volume of that size stays as it is, and its content is not touched. */
export async function extendVolume(host: Host, device: string, group: string, name: string, extents: number): Promise<void> {
  await lvm(host, device, "lvextend", ["--extents", String(extents), `${group}/${name}`]);
}

export async function activateVolumeGroup(host: Host, devices: string | readonly string[], group: string): Promise<void> {
  await lvm(host, devices, "vgchange", ["--activate", "y", group]);
}

export async function deactivateVolumeGroup(host: Host, devices: readonly string[], group: string): Promise<void> {
  await lvm(host, devices, "vgchange", ["--activate", "n", group]);
}

/** A physical volume among the devices that were asked for. */
export interface PhysicalVolume {
  readonly device: string;
  /** Empty for one that belongs to none. */
  readonly group: string;
  /** Of the device, and of what LVM uses of it. */
  readonly deviceBytes: number;
  readonly bytes: number;
  readonly freeExtents: number;
}

const PhysicalVolumes = z.object({
  report: z.array(
    z.object({
      pv: z.array(
        z.object({
          pv_name: z.string(),
          vg_name: z.string(),
          dev_size: bytes,
          pv_size: bytes,
          pv_pe_count: bytes,
          pv_pe_alloc_count: bytes,
        }),
      ),
    }),
  ),
});

/** Those of the devices that are physical volumes. @param devices all members of a group, or one that is to be its first */
export async function physicalVolumes(host: Host, devices: readonly string[]): Promise<readonly PhysicalVolume[]> {
  const form = ["--reportformat", "json", "--units", "b", "--nosuffix"];
  const fields = "pv_name,vg_name,dev_size,pv_size,pv_pe_count,pv_pe_alloc_count";
  const { stdout } = await lvm(host, devices, "pvs", [...form, "--options", fields]);
  return parseToolJson("pvs", stdout, PhysicalVolumes).report.flatMap(({ pv }) =>
    pv.map((one) => ({
      ...{ device: one.pv_name, group: one.vg_name, deviceBytes: one.dev_size, bytes: one.pv_size },
      freeExtents: one.pv_pe_count - one.pv_pe_alloc_count,
    })),
  );
}

/** Makes a physical volume as large as its device. */
export async function growPhysicalVolume(host: Host, devices: readonly string[], device: string): Promise<void> {
  await lvm(host, devices, "pvresize", [device]);
}

/** Adds devices to a group; each becomes a physical volume, if it is none. */
export async function addToVolumeGroup(host: Host, devices: readonly string[], group: string, added: readonly string[]): Promise<void> {
  await lvm(host, devices, "vgextend", ["--yes", group, ...added]);
}

/** Extends a volume by that many extents, striped over so many of the group's devices. */
export async function extendStriped(
  host: Host,
  devices: readonly string[],
  volume: string,
  { extents, stripes }: { readonly extents: number; readonly stripes: number },
): Promise<void> {
  await lvm(host, devices, "lvextend", ["--yes", "--type", "striped", "--stripes", String(stripes), "--extents", `+${extents}`, volume]);
}

/** The device-mapper name of a logical volume: hyphens doubled, group and volume joined by a single one (lvm(8), "Unique names"). */
export function volumeMapping(group: string, volume: string): string {
  return [group, volume].map((name) => name.replaceAll("-", "--")).join("-");
}

const UUID_CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** A new LVM identifier of 32 random characters, in LVM's grouping. */
export function newLvmUuid(): string {
  return lvmUuid(Array.from({ length: 32 }, () => UUID_CHARACTERS[randomInt(UUID_CHARACTERS.length)]).join(""));
}
