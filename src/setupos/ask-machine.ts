import { blockDevices } from "../system/disks/lsblk.ts";
import { mounts } from "../system/disks/mounts.ts";
import { isFailing } from "../system/disks/smartctl.ts";
import { type Lshw, type Memory, memoryIn, type Processors, readLshw, socketsIn, threadsIn } from "../system/hardware/lshw.ts";
import type { Host } from "../system/host.ts";
import { type InspectedDevice, inspectDevice } from "./disk-contents.ts";
import type { InspectedDrive } from "./disk-plan.ts";
import { type ConsideredDrive, considerDrives } from "./drives.ts";
import type { HardwareFacts } from "./hardware.ts";
import { type Known, known } from "./known.ts";

/** What a machine that is to be installed says of itself. */
export interface MachineFacts {
  readonly hardware: HardwareFacts;
  /** Every drive, and whether it would be taken. */
  readonly drives: Known<readonly InspectedDrive[]>;
}

/** Asks the machine all that the installer asks, and changes nothing. What cannot be found out is a part of the answer. */
export async function askMachine(host: Host): Promise<MachineFacts> {
  const [lshw, cpuinfo, meminfo, considered, isUefi] = await Promise.all([
    known(async () => readLshw(host)),
    host.readText("/proc/cpuinfo"),
    host.readText("/proc/meminfo"),
    known(async () => considerDrives(await blockDevices(host), await mounts(host))),
    host.list("/sys/firmware/efi").then((names) => names !== undefined),
  ]);
  const drives: InspectedDrive[] = [];
  const failing = new Map<string, Known<boolean>>();
  for (const drive of "value" in considered ? considered.value : []) {
    const { device, leftBecause } = drive;
    if (leftBecause === undefined) failing.set(device.path, await known(async () => isFailing(host, device.path)));
    drives.push({ ...drive, inspected: await inspectDevice(host, device) });
  }
  const taken = drives.filter(({ leftBecause }) => leftBecause === undefined).map(({ device }) => device);
  const threads = threadsIn(cpuinfo ?? "");
  return {
    hardware: {
      processors: processorsOf(lshw, cpuinfo ?? ""),
      threads: threads > 0 ? { value: threads } : { problem: { code: "threads-not-known", what: "the kernel names no processors" } },
      memory: memoryOf(lshw, meminfo ?? ""),
      drives: "problem" in considered ? considered : { value: taken },
      ...{ failing, isUefi },
    },
    drives: "problem" in considered ? considered : { value: drives },
  };
}

/**
 * What is on each drive, as far as it decides on the drives. What this system runs from is not inspected, nor is what `isKnown` names: it counts
 * as empty.
 */
export async function inspectDrives(
  host: Host,
  drives: readonly ConsideredDrive[],
  isKnown: (drive: ConsideredDrive) => boolean,
): Promise<readonly InspectedDrive[]> {
  const inspected: InspectedDrive[] = [];
  for (const drive of drives) {
    const isSkipped = isKnown(drive) || (drive.leftBecause !== undefined && drive.mountPoints.length > 0);
    inspected.push({ ...drive, inspected: isSkipped ? uninspected(drive) : await inspectDevice(host, drive.device) });
  }
  return inspected;
}

function uninspected({ device }: ConsideredDrive): InspectedDevice {
  const value = { signatures: [], group: undefined, partitionUuids: [], hasUnknownData: false };
  return { device, content: { value }, children: [] };
}

function processorsOf(lshw: Known<Lshw>, cpuinfo: string): Known<Processors> {
  if ("value" in lshw) return { value: { sockets: lshw.value.sockets, source: "lshw" } };
  const sockets = socketsIn(cpuinfo);
  return sockets.length > 0 ? { value: { sockets, source: "/proc/cpuinfo" } } : lshw;
}

function memoryOf(lshw: Known<Lshw>, meminfo: string): Known<Memory> {
  if ("value" in lshw && lshw.value.memory !== undefined) return { value: { bytes: lshw.value.memory, isLeast: false, source: "lshw" } };
  const bytes = memoryIn(meminfo);
  if (bytes !== undefined) return { value: { bytes, isLeast: true, source: "/proc/meminfo" } };
  return {
    problem:
      "problem" in lshw ? lshw.problem : { code: "memory-not-told", what: "neither lshw nor the kernel tells how much memory there is" },
  };
}
