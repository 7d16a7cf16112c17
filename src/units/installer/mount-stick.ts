import { requireDevice } from "../../system/disks/block-devices.ts";
import { mountAt } from "../../system/disks/mounts.ts";
import { type Inspected, planMounts } from "../disks/checked-mounts.ts";
import { mountPointTaken } from "../disks/disk-problems.ts";
import { type Machine, unit } from "../machine.ts";
import { systemBus } from "../services/system-bus.ts";
import { stickOf } from "./stick.ts";

/**
 * Afterwards the stick's partitions with the configuration and with the images are mounted.
 *
 * They are searched on the disk that this system runs from, and nowhere else: a guest's disk has partitions of the same UUIDs. It comes after
 * the bus, so that the rest of the system starts before the installation does. A conflict means that something else is mounted there.
 */
export const mountStick = unit({
  name: "mount-stick",
  title: "Mount the stick's configuration and images",
  after: [systemBus],
  owns: ["mount:/config", "mount:/data", "/run/guestos-boot/mount-stick.fstab"],
  // Virtual media of a BMC are slow.
  timeout: 3_600_000,
  async plan(machine) {
    const { config, data } = stickOf(machine);
    const restricted = ["nodev", "nosuid", "noexec"];
    return planMounts(
      machine,
      "mount-stick",
      await Promise.all([
        missing(machine, config, "vfat", ["rw", "umask=0077", ...restricted]),
        // What the kernel does about damage is not for the stick to say: its superblock may ask for a panic (ext4(5), errors=).
        missing(machine, data, "ext4", ["ro", "errors=remount-ro", ...restricted]),
      ]),
    );
  },
});

async function missing(
  { host }: Machine,
  { partition, mountPoint }: { readonly partition: string; readonly mountPoint: string },
  fileSystem: "ext4" | "vfat",
  options: readonly string[],
): Promise<Inspected> {
  const { device, deviceNumber } = await requireDevice(host, partition);
  const present = await mountAt(host, mountPoint);
  if (present?.device === deviceNumber) return undefined;
  const place = `${device} (${partition})`;
  if (present !== undefined) return mountPointTaken(mountPoint, { found: `${present.source} (${present.fileSystem})`, expected: place });
  const repaired = `the ${fileSystem} file system on ${place} was not unmounted cleanly, or damaged; it was checked and repaired`;
  return { source: device, mountPoint, fileSystem, options, place, repaired };
}
