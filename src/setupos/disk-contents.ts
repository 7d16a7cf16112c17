import { ProblemError } from "../base/problem.ts";
import type { BlockDevice } from "../system/disks/lsblk.ts";
import { type GroupMember, groupMember } from "../system/disks/lvm.ts";
import { isZero } from "../system/disks/signature.ts";
import { type Signature, signaturesOn } from "../system/disks/wipefs.ts";
import type { Host } from "../system/host.ts";
import { known, type Known } from "./known.ts";

/** What is on a device, as far as it can be told from outside. */
export interface DeviceContent {
  readonly signatures: readonly Signature[];
  /** Of a physical volume of LVM that belongs to one. */
  readonly group: GroupMember | undefined;
  /** No signature is known, and it is not empty at both ends. */
  readonly hasUnknownData: boolean;
}

/** A device with its content, and all that lies on it. */
export interface InspectedDevice {
  readonly device: BlockDevice;
  readonly content: Known<DeviceContent>;
  readonly children: readonly InspectedDevice[];
}

/** Inspects a drive and all that lies on it, whatever nests in what. It only reads. */
export async function inspectDevice(host: Host, device: BlockDevice): Promise<InspectedDevice> {
  const content = await known(async () => contentOf(host, device));
  const children: InspectedDevice[] = [];
  for (const child of device.children) children.push(await inspectDevice(host, child));
  return { device, content, children };
}

async function contentOf(host: Host, device: BlockDevice): Promise<DeviceContent> {
  const signatures = await signaturesOn(host, device.path);
  const isMember = signatures.some(({ type }) => type === "LVM2_member");
  return {
    signatures,
    group: isMember ? await groupMember(host, device.path) : undefined,
    // What lies on it is inspected by itself.
    hasUnknownData: signatures.length === 0 && device.children.length === 0 && !(await isEmptyAtBothEnds(host, device)),
  };
}

/** At either end of a device, bytes: every format has something there. */
const END = 1024 * 1024;

async function isEmptyAtBothEnds(host: Host, { path, bytes }: BlockDevice): Promise<boolean> {
  for (const offset of [0, Math.max(0, bytes - END)]) {
    const found = await host.readAt(path, offset, END);
    if (found === undefined || found.length < Math.min(END, bytes))
      throw new ProblemError({
        code: "disk-not-read",
        what: `an end of ${path} cannot be read`,
        found: found === undefined ? "no such device" : `${found.length} bytes at ${offset}`,
        expected: `${Math.min(END, bytes)} bytes`,
        todo: "inspect the drive: dmesg, smartctl --all",
      });
    if (!isZero(Buffer.from(found.buffer, found.byteOffset, found.length))) return false;
  }
  return true;
}
