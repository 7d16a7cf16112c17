import { hash } from "node:crypto";
import { ProblemError } from "../base/problem.ts";
import type { BlockDevice } from "../system/disks/lsblk.ts";
import { type GroupMember, groupMember } from "../system/disks/lvm.ts";
import { readPartitionTable } from "../system/disks/sfdisk.ts";
import { isZero } from "../system/disks/signature.ts";
import { type Signature, signaturesOn } from "../system/disks/wipefs.ts";
import type { Host } from "../system/host.ts";
import { readInstallRecord, RECORD_BYTES, RECORD_OFFSET } from "./install-record.ts";
import { known, type Known } from "./known.ts";

/** What is on a device, as far as it can be told from outside. */
export interface DeviceContent {
  readonly signatures: readonly Signature[];
  /** Of a physical volume of LVM that belongs to one. */
  readonly group: GroupMember | undefined;
  /** UUIDs of the partitions in its table, in lower case. The kernel sees none of a table whose first copy is damaged. */
  readonly partitionUuids: readonly string[];
  /** It is not empty at both ends, without a signature that is known; or it has partitions that the kernel does not see. */
  readonly hasUnknownData: boolean;
  /** A digest of both ends, where it has data of a kind that is not known. */
  readonly digest?: string;
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
  const has = (...types: readonly string[]): boolean => signatures.some(({ type }) => types.includes(type));
  // What lies on it is inspected by itself. A protective table alone is what is left of a GPT that is gone.
  const isUnexplained = device.children.length === 0 && signatures.every(({ type }) => type === "PMBR");
  // The kernel looks for partitions on these alone: on a volume they are those of a guest.
  const table =
    has("gpt", "dos") && /^(?:disk|loop|raid\d*|mpath)$/.test(device.type) ? (await readPartitionTable(host, device.path)).partitions : [];
  const isUnseen = table.length > device.children.filter(({ type }) => type === "part").length;
  const ends = isUnseen || isUnexplained ? await endsOf(host, device) : [];
  const hasUnknownData = isUnseen || (isUnexplained && (signatures.length > 0 || !ends.every(isZero)));
  return {
    signatures,
    group: has("LVM2_member") ? await groupMember(host, device.path) : undefined,
    partitionUuids: table.flatMap(({ uuid }) => uuid ?? []),
    hasUnknownData,
    ...(hasUnknownData ? { digest: hash("sha256", Buffer.concat(ends)) } : {}),
  };
}

/** At either end of a device, bytes: every format has something there, and the first partition begins a MiB behind the beginning. */
const END = 4 * 1024 * 1024;

/** Both, without the record of an installation: the installer knows that data. */
async function endsOf(host: Host, { path, bytes, type }: BlockDevice): Promise<readonly Buffer[]> {
  const length = Math.min(END, bytes);
  const first = await readPart(host, path, 0, length);
  if (type === "disk" && (await readInstallRecord(host, path)) !== undefined) first.fill(0, RECORD_OFFSET, RECORD_OFFSET + RECORD_BYTES);
  return [first, await readPart(host, path, Math.max(0, bytes - END), length)];
}

/** So many bytes of a device, all of them. @throws ProblemError for fewer: what cannot be read is never taken for nothing */
export async function readPart(host: Host, path: string, offset: number, length: number): Promise<Buffer> {
  const found = await host.readAt(path, offset, length);
  if (found?.length === length) return Buffer.from(found.buffer, found.byteOffset, found.length);
  throw new ProblemError({
    code: "disk-not-read",
    what: `an end of ${path} cannot be read`,
    found: found === undefined ? "no such device" : `${found.length} bytes at ${offset}`,
    expected: `${length} bytes`,
    todo: "inspect the drive: dmesg, smartctl --all",
  });
}
