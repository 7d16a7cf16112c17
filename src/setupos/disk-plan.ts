import type { Problem } from "../base/problem.ts";
import { installToken } from "../config/values/install-token.ts";
import type { BlockDevice } from "../system/disks/lsblk.ts";
import type { DeviceContent, InspectedDevice } from "./disk-contents.ts";
import type { ConsideredDrive } from "./drives.ts";
import { installedNode, layersOf, nodeTraces } from "./installed-node.ts";

/** A drive that was considered, and what was found on it. */
export interface InspectedDrive extends ConsideredDrive {
  readonly inspected: InspectedDevice;
}

/** What would be done with a drive. */
export interface PlannedDrive extends ConsideredDrive {
  /** The system drive gets the boot partitions. `undefined` for one that is left, or kept for what is on it. */
  readonly takenAs: "system drive" | "data drive" | undefined;
  /** What is on a drive that is taken, or would be, in the order in which it lies on each other. */
  readonly lost: readonly LostDevice[];
}

export interface LostDevice {
  readonly path: string;
  readonly bytes: number;
  /** What it holds, in words; "not known" where it could not be inspected. */
  readonly holds: string;
}

export interface DiskPlan {
  readonly drives: readonly PlannedDrive[];
  /** Allows what is on the drives now to be replaced. Absent where that is not needed, or not known. */
  readonly token: string | undefined;
  readonly mistakes: readonly Problem[];
  readonly warnings: readonly Problem[];
  readonly unknown: readonly Problem[];
}

/**
 * What the installer shall do with each drive, and what stands against it. Pure: all was inspected before.
 *
 * Old file systems, groups and arrays are taken away. A node is not, nor is data of a kind that is not known, unless the token is given that
 * fits what is there now. What could not be inspected is never taken.
 *
 * @param given the operator's token, in its canonical form
 * @param begun the path of the system drive of an installation that was begun on these drives, and not ended: what is on them is lost already
 */
export function planDisks(drives: readonly InspectedDrive[], given: string | undefined, begun?: string): DiskPlan {
  const taken = drives.filter(({ leftBecause }) => leftBecause === undefined);
  const system = systemDrive(taken, begun);
  const isBegun = begun !== undefined;
  const unknown = isBegun ? [] : taken.flatMap(({ inspected }) => notKnown(inspected));
  const protectedBy = isBegun ? [] : protectedData(taken);
  const token = protectedBy.length === 0 || unknown.length > 0 ? undefined : installToken(tracesOf(taken));
  const allowed = token !== undefined && given === token;
  return {
    drives: drives.map(({ inspected, ...drive }) => {
      const leftBecause = drive.leftBecause ?? reasonToKeep({ ...drive, inspected }, { allowed, isBegun });
      const takenAs = drive.device === system?.device ? "system drive" : "data drive";
      return {
        ...{ ...drive, leftBecause, takenAs: leftBecause === undefined ? takenAs : undefined },
        lost: drive.leftBecause === undefined ? lostWith(inspected) : [],
      };
    }),
    token,
    mistakes: [
      ...sameDrives(taken),
      ...mounted(taken),
      ...elsewhere(drives),
      ...acrossDrives(drives),
      ...(allowed ? [] : protectedBy.map((problem) => ({ ...problem, todo: `${problem.todo}${howToReplace(token)}` }))),
      ...(allowed || given === undefined || token === undefined ? [] : [otherToken(given, token)]),
    ],
    warnings: [
      // One of them may hold a node, too. This system's own is known by what runs.
      ...drives
        .filter(({ leftBecause, mountPoints }) => leftBecause !== undefined && mountPoints.length === 0)
        .flatMap(({ inspected }) => notKnown(inspected)),
      ...(allowed ? protectedBy.map(({ found }) => replaced(found)) : []),
      ...(given !== undefined && protectedBy.length === 0 && !isBegun ? [tokenNotNeeded(given)] : []),
    ],
    unknown,
  };
}

/** The drive that the firmware starts. */
function systemDrive(taken: readonly InspectedDrive[], begun: string | undefined): InspectedDrive | undefined {
  return taken.find(({ device }) => device.path === (begun ?? "/dev/vda")) ?? taken[0];
}

/** Why a drive that the installer would take is kept all the same. */
function reasonToKeep(
  { inspected, mountPoints }: InspectedDrive,
  { allowed, isBegun }: { readonly allowed: boolean; readonly isBegun: boolean },
): string | undefined {
  const layers = [...layersOf(inspected)];
  if (mountPoints.length > 0) return "it is in use";
  if (isBegun) return undefined;
  if (layers.some(({ content }) => "problem" in content)) return "it is not known what is on it";
  if (allowed) return undefined;
  if (nodeTraces(inspected).length > 0) return "a node is on it";
  return layers.some(isStrange) ? "data of a kind that is not known is on it" : undefined;
}

function notKnown(drive: InspectedDevice): readonly Problem[] {
  return [...layersOf(drive)].flatMap(({ device, content }) => {
    if ("value" in content) return [];
    const { what, found, ...problem } = content.problem;
    const reason = found === undefined ? what : `${what}: ${found}`;
    return [
      {
        ...problem,
        code: "disk-content-not-known",
        what: `it is not known what is on ${device.path}`,
        found: reason,
        expected: "an answer",
      },
    ];
  });
}

interface ProtectedData extends Problem {
  readonly found: string;
  readonly todo: string;
}

/** What is on these drives that no one may lose by mistake. */
function protectedData(taken: readonly InspectedDrive[]): readonly ProtectedData[] {
  const node = installedNode(taken.map(({ inspected }) => inspected));
  const strange = taken.flatMap(({ inspected }) => [...layersOf(inspected)].filter(isStrange).map(({ device }) => device.path));
  return [
    ...(node === undefined
      ? []
      : [
          {
            code: "node-installed",
            what: "a node is installed on these drives",
            found: `${node.missing.length === 0 ? "a whole node" : `a node with parts missing (${node.missing.join(", ")})`} on ${node.drives.join(", ")}`,
            expected: "drives without a node",
            todo: "if it is the node that you want, pull the stick: nothing is to be done",
          },
        ]),
    ...(strange.length === 0
      ? []
      : [
          {
            code: "disk-data-strange",
            what: "there is data of a kind that is not known",
            found: `not empty, and no signature; or partitions that the kernel does not see: ${strange.join(", ")}`,
            expected: "a known format, or an empty drive",
            todo: "find out whose it is: it may be encrypted, or damaged",
          },
        ]),
  ];
}

function isStrange({ content }: InspectedDevice): boolean {
  return "value" in content && content.value.hasUnknownData;
}

/**
 * What the token is bound to: each drive with something that is protected, and what that is. A node's own volumes are among its traces, and
 * what is in them is seen only while they are active.
 */
function tracesOf(taken: readonly InspectedDrive[]): readonly string[] {
  return taken.flatMap(({ device, inspected }) => {
    const node = nodeTraces(inspected);
    const strange = [...layersOf(inspected)].filter((layer) => isStrange(layer) && (node.length === 0 || layer.device.type !== "lvm"));
    const traces = [...node, ...strange.map(({ device: { bytes }, content }) => `data ${bytes} ${digestOf(content)}`)];
    return traces.map((trace) => `${device.serial} ${device.wwn} ${device.bytes}: ${trace}`);
  });
}

function digestOf(content: InspectedDevice["content"]): string {
  return "value" in content ? (content.value.digest ?? "") : "";
}

function howToReplace(token: string | undefined): string {
  if (token === undefined) return ". How to replace it is said once it is known what is on every drive";
  return `. To replace it, and lose all of it: --replace ${token}, or replace_installed=${token} in config.ini`;
}

function otherToken(given: string, token: string): Problem {
  return {
    code: "replace-token-other",
    what: "the token is not of what is on the drives now",
    found: given,
    expected: token,
    todo: "compare the drives with those for which it was made; a token serves once",
  };
}

function replaced(found: string): Problem {
  return {
    code: "node-replaced",
    what: "what is on the drives is replaced, as the token allows: its data and its identity are lost",
    found,
  };
}

function tokenNotNeeded(given: string): Problem {
  return {
    code: "replace-token-not-needed",
    what: "there is a token, and nothing on the drives for which one is needed",
    found: given,
    todo: "take it out of config.ini, and compare the drives with those for which it was made",
  };
}

/** A drive that is reached by two ways is one drive. Two that call themselves the same cannot be told apart after the next start. */
function sameDrives(taken: readonly InspectedDrive[]): readonly Problem[] {
  const byName = Map.groupBy(
    taken.map(({ device }) => device).filter(({ serial, wwn }) => serial !== undefined || wwn !== undefined),
    ({ serial, wwn }) => JSON.stringify([serial, wwn]),
  );
  return [...byName.values()]
    .filter((same) => same.length > 1)
    .map((same) => ({
      code: "disks-same",
      what: "drives have the same serial number",
      found: same.map(({ path }) => path).join(" and "),
      expected: "each drive once",
      todo: "if it is one drive that is reached by two ways, take one of them away; else replace one of them",
    }));
}

function mounted(taken: readonly InspectedDrive[]): readonly Problem[] {
  return taken.flatMap(({ device, mountPoints }) =>
    mountPoints.length === 0
      ? []
      : [
          {
            code: "disk-mounted",
            what: `the drive ${device.path} is in use`,
            found: `mounted at ${mountPoints.join(", ")}`,
            expected: "no mounts",
            todo: `unmount it: umount ${mountPoints.join(" ")}`,
          },
        ],
  );
}

/** Firmware and LVM know a node by UUIDs that are the same for all: with a second one in the machine, they may start or change that one. */
function elsewhere(drives: readonly InspectedDrive[]): readonly Problem[] {
  return drives
    .filter(({ leftBecause, inspected }) => leftBecause !== undefined && nodeTraces(inspected).length > 0)
    .map(({ device, leftBecause }) => ({
      code: "node-elsewhere",
      what: `there is a node on ${device.path}, which is left`,
      found: `its boot partitions, or its volume group, on a drive that is left: ${leftBecause}`,
      expected: "no node on a drive that is left",
      todo: "take this drive out of the machine",
    }));
}

/** An array or a volume that is open lies on all its drives: to wipe it would write to one that is left. */
function acrossDrives(drives: readonly ConsideredDrive[]): readonly Problem[] {
  return drives.flatMap(({ device: left, leftBecause }) => {
    if (leftBecause === undefined) return [];
    const onLeft = new Set(pathsOn(left));
    return drives
      .filter((drive) => drive.leftBecause === undefined)
      .flatMap(({ device }) => {
        const shared = pathsOn(device).find((path) => onLeft.has(path));
        if (shared === undefined) return [];
        return {
          code: "disk-shares-layer",
          what: `${shared} lies on ${device.path}, which would be taken, and on ${left.path}, which is left`,
          found: `${left.path} is left: ${leftBecause}`,
          expected: "no array and no volume on a drive that is taken and on another one",
          todo: `take ${left.path} out of the machine, or dissolve what is on both`,
        };
      });
  });
}

/** All that lies on a device, however deep. */
function pathsOn({ children }: BlockDevice): readonly string[] {
  return children.flatMap((child) => [child.path, ...pathsOn(child)]);
}

function lostWith(drive: InspectedDevice): readonly LostDevice[] {
  const lost = new Map<string, LostDevice>();
  for (const { device, content } of layersOf(drive)) {
    const holds = "value" in content ? contentText(content.value, device) : "not known";
    if (holds !== "") lost.set(device.path, { path: device.path, bytes: device.bytes, holds });
  }
  return [...lost.values()];
}

/** In words; nothing where nothing is found at either end. */
function contentText({ signatures, group, hasUnknownData }: DeviceContent, { partitionLabel }: BlockDevice): string {
  const types = [...new Set(signatures.map(({ type }) => type))].filter((type) => type !== "PMBR" || signatures.length === 1);
  const words = types.map((type) => {
    // A table, and its copy at the end of the drive.
    if (type === "gpt")
      return signatures.filter((one) => one.type === "gpt").length === 1
        ? "partition table (gpt), one copy alone"
        : "partition table (gpt)";
    if (type === "LVM2_member") return group === undefined ? "physical volume of no group" : groupText(group);
    return TYPES[type] ?? type;
  });
  const text = [...words, ...(hasUnknownData ? ["data of a kind that is not known"] : [])].join(", ");
  return text === "" || partitionLabel === undefined ? text : `${text}, called ${JSON.stringify(partitionLabel)}`;
}

function groupText({ name, volumes }: NonNullable<DeviceContent["group"]>): string {
  const names = [...volumes.keys()];
  return `physical volume of ${name}${names.length === 0 ? "" : `, with ${names.join(", ")}`}`;
}

/** What libblkid's names mean. */
const TYPES: Readonly<Record<string, string>> = {
  dos: "partition table (dos)",
  PMBR: "partition table (gpt), without the table itself",
  linux_raid_member: "part of an array (md)",
  zfs_member: "part of a pool (zfs)",
  crypto_LUKS: "encrypted (LUKS)",
  ceph_bluestore: "part of a store (ceph)",
  ddf_raid_member: "part of an array (ddf)",
  isw_raid_member: "part of an array (Intel)",
};
