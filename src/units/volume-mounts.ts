import { activate, conflict, joined, type Plan } from "../boot/unit.ts";
import { readIntent } from "../config/intent.ts";
import type { VolumeLayout } from "../config/layout.ts";
import { type Mapping, mappings } from "../system/block-devices.ts";
import { CommandError } from "../system/command.ts";
import { checkExt4, repairXfs } from "../system/fsck.ts";
import { volumeMapping } from "../system/lvm.ts";
import { mount, mountAt } from "../system/mounts.ts";
import { ProblemError } from "../system/problem.ts";
import { readSignature } from "../system/signature.ts";
import { activeSwaps, swapOn } from "../system/swap.ts";
import { type Machine, unit } from "./machine.ts";
import { varPartition } from "./var.ts";
import { fileSystemIntent, volumeFilesystems } from "./volume-filesystems.ts";

/**
 * Afterwards the file systems of the store are checked and mounted below /var/lib/ic, and its swap is on.
 *
 * Requires the file systems, and /var, where the mount points lie. What is mounted is known by the UUID that was chosen
 * when it was made, never by a name alone. A conflict means that something else is mounted there.
 */
export const volumeMounts = unit({
  name: "volume-mounts",
  title: "Mount the file systems of the store",
  requires: [volumeFilesystems, varPartition],
  owns: ["/var/lib/ic/data", "/var/lib/ic/crypto", "/var/lib/ic/backup", "swap"],
  // A check of a large file system takes its time.
  timeout: 45 * 60_000,
  async plan(machine) {
    const active = await mappings(machine.host);
    return joined(await Promise.all(machine.layout.volumes.map((volume) => planVolume(machine, volume, active))));
  },
});

async function planVolume(machine: Machine, volume: VolumeLayout, active: ReadonlyMap<string, Mapping>): Promise<Plan> {
  const { host, layout } = machine;
  const name = volumeMapping(layout.volumeGroup, volume.name);
  const device = `/dev/mapper/${name}`;
  const mapping = active.get(name);
  if (mapping === undefined)
    throw new ProblemError({ what: `the volume ${volume.name} is not active`, expected: device, todo: "guestos-boot --unit volumes" });
  const { mountPoint } = volume;
  if (mountPoint === undefined) {
    if ((await activeSwaps(host)).includes(mapping.device)) return [];
    return [
      activate(`turn on swap on ${volume.name}`, async () => {
        await requireOwn(machine, volume, device);
        await swapOn(host, device);
      }),
    ];
  }
  const present = await mountAt(host, mountPoint);
  if (present?.device === mapping.deviceNumber) return [];
  if (present !== undefined) {
    return conflict({
      what: `something else is mounted at ${mountPoint}`,
      found: present.source,
      expected: device,
      todo: "find out who mounts it, unmount it, and run guestos-boot again",
    });
  }
  return [activate(`check and mount ${volume.name} at ${mountPoint}`, () => mountVolume(machine, volume, device, mountPoint))];
}

async function mountVolume(machine: Machine, volume: VolumeLayout, device: string, mountPoint: string): Promise<void> {
  const { host, note } = machine;
  await requireOwn(machine, volume, device);
  await host.makeFolder(mountPoint, { mode: 0o755 });
  const request = { source: device, mountPoint, fileSystem: volume.fileSystem, options: RESTRICTED };
  if (volume.fileSystem === "ext4") {
    if (await checkExt4(host, device)) note(`the file system of ${volume.name} was damaged and has been mended`);
    await mount(host, request);
    return;
  }
  try {
    // xfs checks itself by replaying its log as it is mounted; fsck.xfs(8) does nothing on purpose.
    await mount(host, request);
  } catch (error) {
    // mount(8): 32 the mount failed. The kernel refuses a log that it cannot replay ("Structure needs cleaning").
    if (!(error instanceof CommandError) || !/structure needs cleaning|can't read superblock|bad superblock/i.test(error.stderr))
      throw error;
    note(`the log of ${volume.name} could not be replayed; repairing the file system, its last changes may be lost`);
    await repairXfs(host, device);
    await mount(host, request);
  }
}

/** The file system that was made for this volume, and no other one. */
async function requireOwn({ host, layout }: Machine, volume: VolumeLayout, device: string): Promise<void> {
  const intent = await readIntent(host, layout.config.intents, fileSystemIntent(volume));
  const found = await readSignature(host, device);
  if (found !== undefined && found.uuid === intent?.uuid) return;
  throw new ProblemError({
    what: `${device} does not hold the file system that was made for ${volume.name}; it was not mounted`,
    found: found === undefined ? "no signature that is known" : `${found.type} ${found.uuid}`,
    expected: `${volume.fileSystem} ${intent?.uuid ?? ""}`.trim(),
  });
}

/** Nothing on the store is a device or a program: what the node's software runs comes with the image. */
const RESTRICTED = ["nodev", "nosuid", "noexec"];
