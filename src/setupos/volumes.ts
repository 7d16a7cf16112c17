import { ProblemError } from "../base/problem.ts";
import { deadlineIn, pause, systemClock } from "../base/clock.ts";
import { mappings } from "../system/disks/block-devices.ts";
import { readTableAgain } from "../system/disks/layers.ts";
import { type BlockDevice, blockDevices } from "../system/disks/lsblk.ts";
import {
  activateVolumeGroup,
  addToVolumeGroup,
  deactivateVolumeGroup,
  extendStriped,
  growPhysicalVolume,
  type PhysicalVolume,
  physicalVolumes,
  volumeMapping,
} from "../system/disks/lvm.ts";
import { growPartition, readPartitionTable } from "../system/disks/sfdisk.ts";
import type { Host } from "../system/host.ts";

/** The volume group of a host, and the partition of the system drive that is its first member (dfinity/ic, ic-os/hostos/partitions.csv). */
export const HOST_GROUP = "hostlvm";
const MEMBER = 3;
/** The volume that gets all free room. */
const GUEST = "guestos";
const MIB = 1024 * 1024;

/** The drives of a node, and what LVM is told of: the system drive's partition, and the other drives as they are. */
export interface NodeDrives {
  readonly system: BlockDevice;
  readonly others: readonly BlockDevice[];
}

/** A step by which the drives become what a host expects. */
export interface VolumeStep {
  readonly description: string;
  readonly run: () => Promise<void>;
}

/** What LVM is shown, and nothing else: two disks of one image share every UUID. */
async function members(host: Host, { system, others }: NodeDrives): Promise<readonly string[]> {
  return [await memberOf(host, system), ...others.map(({ path }) => path)];
}

/**
 * The kernel's name of the third partition, once it sees it as the table has it: it keeps an older one for as long as someone has it open.
 *
 * @throws ProblemError where it does not see it in time
 */
async function memberOf(host: Host, system: BlockDevice): Promise<string> {
  const wanted = (await readPartitionTable(host, system.path)).partitions.at(MEMBER - 1)?.bytes;
  const left = deadlineIn(30_000);
  for (;;) {
    const now = (await blockDevices(host)).find(({ path }) => path === system.path);
    const name = now?.children.find((child) => new RegExp(`\\D${MEMBER}$`).test(child.path) && child.type === "part");
    if (name !== undefined && name.bytes === wanted) return name.path;
    if (left() === 0 || !(await pause(systemClock, 500, host.signal))) break;
    await readTableAgain(host, system.path);
  }
  throw new ProblemError({
    code: "member-partition-missing",
    what: `the kernel does not see partition ${MEMBER} of ${system.path} as the table has it`,
    found: "none, or one of another size",
    expected: wanted === undefined ? "a table with that partition" : `a partition of ${wanted} bytes`,
    todo: "start the stick again; if it stays so, replace the drive: dmesg",
  });
}

/**
 * What is missing until the group has all room of all drives: the partition grown, the physical volume with it, the other drives in the group,
 * and the guest's volume extended over all of them in stripes. Each is found by inspection, so that it goes on after a cut.
 */
export async function missingOfVolumes(host: Host, drives: NodeDrives): Promise<readonly VolumeStep[]> {
  const { system, others } = drives;
  const table = await readPartitionTable(host, system.path);
  const last = table.partitions.at(MEMBER - 1);
  if (last === undefined || last.start + last.bytes < system.bytes - 2 * MIB)
    return [
      {
        description: `make partition ${MEMBER} of ${system.path} as large as the drive`,
        run: async () => {
          await growPartition(host, system.path, MEMBER);
          await readTableAgain(host, system.path);
        },
      },
      ...restOf(drives, host),
    ];
  const devices = await members(host, drives);
  const volumes = await physicalVolumes(host, devices);
  const first = volumes.find(({ device }) => device === devices[0]);
  const absent = others.filter(({ path }) => volumes.find(({ device }) => device === path)?.group !== HOST_GROUP).map(({ path }) => path);
  const steps: VolumeStep[] = [];
  if (first === undefined || first.deviceBytes - first.bytes > 16 * MIB)
    steps.push({
      description: `make the physical volume on ${devices[0]} as large as its partition`,
      run: async () => patiently(host, async () => growPhysicalVolume(host, devices, devices[0] ?? "")),
    });
  if (absent.length > 0)
    steps.push({
      description: `add ${absent.join(", ")} to the volume group ${HOST_GROUP}`,
      run: async () => patiently(host, async () => addToVolumeGroup(host, devices, HOST_GROUP, absent)),
    });
  if (steps.length > 0 || extentsToAdd(volumes, devices.length) > 0)
    steps.push({ description: extendText(devices.length), run: async () => extendGuest(host, devices) });
  return steps;
}

/** What follows once the partition has grown, in words; each is inspected again when it runs. */
function restOf(drives: NodeDrives, host: Host): readonly VolumeStep[] {
  return [
    {
      description: `give all room to the volume group ${HOST_GROUP}, and to its volume ${GUEST}, striped over ${drives.others.length + 1} drives`,
      run: async () => {
        for (let steps = await missingOfVolumes(host, drives); steps[0] !== undefined; steps = steps.slice(1)) {
          host.signal.throwIfAborted();
          await steps[0].run();
        }
      },
    },
  ];
}

function extendText(stripes: number): string {
  return `extend the volume ${HOST_GROUP}/${GUEST} over ${stripes === 1 ? "the drive" : `all ${stripes} drives, in stripes`}`;
}

/** Every stripe is as large as the smallest room that is left on a drive. */
function extentsToAdd(volumes: readonly PhysicalVolume[], stripes: number): number {
  const free = volumes.filter(({ group }) => group === HOST_GROUP).map(({ freeExtents }) => freeExtents);
  return free.length < stripes ? 0 : Math.min(...free) * stripes;
}

async function extendGuest(host: Host, devices: readonly string[]): Promise<void> {
  await patiently(host, async () => {
    const extents = extentsToAdd(await physicalVolumes(host, devices), devices.length);
    if (extents > 0) await extendStriped(host, devices, `${HOST_GROUP}/${GUEST}`, { extents, stripes: devices.length });
  });
}

/** Milliseconds in which LVM's failures that pass are tried again. */
const PATIENCE = 10_000;

/** LVM opens devices exclusively, and fails while udev probes one. An installation must not end with that: it would begin again. */
async function patiently<T>(host: Host, run: () => Promise<T>): Promise<T> {
  const left = deadlineIn(PATIENCE);
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof ProblemError) || !error.retryable || left() === 0) throw error;
      if (!(await pause(systemClock, 500, host.signal))) throw error;
    }
  }
}

/** An active volume. */
export interface ActiveVolume {
  readonly path: string;
  readonly bytes: number;
}

/** Activates the group, for as long as `use` lasts, and hands over one of its volumes. */
export async function withVolume<T>(host: Host, drives: NodeDrives, volume: string, use: (volume: ActiveVolume) => Promise<T>): Promise<T> {
  const devices = await members(host, drives);
  await patiently(host, async () => activateVolumeGroup(host, devices, HOST_GROUP));
  try {
    return await use(await mappedVolume(host, volume));
  } finally {
    await patiently(host, async () => deactivateVolumeGroup(host, devices, HOST_GROUP));
  }
}

async function mappedVolume(host: Host, volume: string): Promise<ActiveVolume> {
  const left = deadlineIn(30_000);
  for (;;) {
    const mapping = (await mappings(host)).get(volumeMapping(HOST_GROUP, volume));
    if (mapping !== undefined && (await host.stat(mapping.device)) !== undefined) return { path: mapping.device, bytes: mapping.bytes };
    if (left() === 0 || !(await pause(systemClock, 200, host.signal))) break;
  }
  throw new ProblemError({
    code: "node-volume-missing",
    what: `the volume ${HOST_GROUP}/${volume} is not there`,
    found: "no device-mapper device of that name",
    expected: "it, in the group that the image has",
    todo: "the image on the stick is no HostOS, or is another one: write the stick again",
  });
}
