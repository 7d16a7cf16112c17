import { activate, joined, type Plan } from "../../boot/unit.ts";
import { readIntent } from "../../config/state/intent.ts";
import type { VolumeLayout } from "../../config/layout/layout.ts";
import { type Mapping, mappings } from "../../system/disks/block-devices.ts";
import { volumeMapping } from "../../system/disks/lvm.ts";
import { mountAt } from "../../system/disks/mounts.ts";
import { ProblemError } from "../../base/problem.ts";
import { readSignature } from "../../system/disks/signature.ts";
import { activeSwaps, swapOn } from "../../system/disks/swap.ts";
import { type Inspected, planMounts } from "./checked-mounts.ts";
import { type Machine, unit } from "../machine.ts";
import { volumeOptions } from "./mount-options.ts";
import { varPartition } from "./var.ts";
import { fileSystemIntent, volumeFilesystems } from "./volume-filesystems.ts";
import { mountPointTaken, volumeNotActive } from "./disk-problems.ts";
import { configInjection } from "../injection/config-injection.ts";
import { besideNode } from "../injection/vm-type.ts";

/**
 * Afterwards the file systems of the store are checked and mounted below /var/lib/ic, and its swap is on.
 *
 * It requires the file systems, and /var, which holds the mount points. A file system is identified by the UUID that was chosen when it was
 * made, never by a name alone. A conflict means that something else is mounted there.
 */
export const volumeMounts = unit({
  name: "volume-mounts",
  title: "Mount the file systems of the store",
  absent: besideNode,
  requires: [volumeFilesystems, varPartition],
  // Order only: until then it may turn out that this is not the node itself. A mount is the first thing that writes to a complete store.
  after: [configInjection],
  owns: ["mount:/var/lib/ic/data", "mount:/var/lib/ic/crypto", "mount:/var/lib/ic/backup", "swap", "/run/guestos-boot/volume-mounts.fstab"],
  // Time for a check of a large file system.
  timeout: 45 * 60_000,
  // A disk that does not answer may recover within seconds.
  retryFor: 10_000,
  async plan(machine) {
    const active = await mappings(machine.host);
    const { volumes } = machine.layout;
    const swaps = volumes.filter(({ fileSystem }) => fileSystem === "swap").map((volume) => planSwap(machine, volume, active));
    const inspected = volumes.map((volume) => inspect(machine, volume, active));
    // Both are awaited together: a failure of a promise that is not yet awaited is an unhandled rejection, which ends the program.
    const [swapPlans, mounts] = await Promise.all([Promise.all(swaps), Promise.all(inspected)]);
    return joined([...swapPlans, planMounts(machine, "volume-mounts", mounts)]);
  },
});

function placeOf({ layout }: Machine, volume: VolumeLayout, active: ReadonlyMap<string, Mapping>): Place {
  const name = volumeMapping(layout.volumeGroup, volume.name);
  const device = `/dev/mapper/${name}`;
  const mapping = active.get(name);
  if (mapping !== undefined) return { device, mapping };
  throw new ProblemError({ ...volumeNotActive(volume.name), expected: device });
}

interface Place {
  readonly device: string;
  readonly mapping: Mapping;
}

async function planSwap(machine: Machine, volume: VolumeLayout, active: ReadonlyMap<string, Mapping>): Promise<Plan> {
  const { device, mapping } = placeOf(machine, volume, active);
  if ((await activeSwaps(machine.host)).includes(mapping.device)) return [];
  return [
    activate(`turn on swap on ${volume.name}`, async () => {
      await requireOwn(machine, volume, device);
      await swapOn(machine.host, device);
    }),
  ];
}

async function inspect(machine: Machine, volume: VolumeLayout, active: ReadonlyMap<string, Mapping>): Promise<Inspected> {
  const { host } = machine;
  const { name, fileSystem, mountPoint } = volume;
  if (fileSystem === "swap" || mountPoint === undefined) return undefined;
  const { device, mapping } = placeOf(machine, volume, active);
  const present = await mountAt(host, mountPoint);
  if (present?.device === mapping.deviceNumber) return undefined;
  if (present !== undefined) {
    return mountPointTaken(mountPoint, { found: present.source, expected: device });
  }
  const repaired = `the file system of ${name} was damaged and has been repaired`;
  const prepare = async (): Promise<void> => {
    await requireOwn(machine, volume, device);
    await host.makeFolder(mountPoint, { mode: 0o755 });
  };
  return { source: device, mountPoint, fileSystem, options: volumeOptions, place: name, repaired, prepare };
}

/** Checks that the device holds the file system that was made for this volume. @throws ProblemError for any other */
async function requireOwn({ host, layout }: Machine, volume: VolumeLayout, device: string): Promise<void> {
  const intent = await readIntent(host, layout.config.intents, fileSystemIntent(volume));
  const found = await readSignature(host, device);
  if (found !== undefined && found.uuid === intent?.uuid) return;
  throw new ProblemError({
    code: "file-system-differs",
    what: `${device} does not hold the file system that was made on it; it was not mounted`,
    found: found === undefined ? "no signature that is known" : `${found.type} ${found.uuid}`,
    expected: `${volume.fileSystem} ${intent?.uuid ?? ""}`.trim(),
  });
}
