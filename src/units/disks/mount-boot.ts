import { requireDevice } from "../../system/disks/block-devices.ts";
import type { Host } from "../../system/host.ts";
import { mountAt } from "../../system/disks/mounts.ts";
import { requireBootedSlot } from "../../upgrade/booted-slot.ts";
import { type Inspected, planMounts } from "./checked-mounts.ts";
import { unit } from "../machine.ts";
import { mountOptions } from "./mount-options.ts";
import { mountPointTaken } from "./disk-problems.ts";

/**
 * Afterwards the boot partition of the running system, the EFI system partition, GRUB's partition and the config partition are checked and
 * mounted.
 *
 * It is first in the chain, because almost every other unit reads or writes the config partition. The four are one unit because three of
 * the mount points are folders on the first file system. A conflict means that something else is already mounted there: for example,
 * systemd's GPT generator may mount the EFI system partition over /boot. A partition that is missing or damaged is an error, and nothing is
 * made in its place.
 */
export const mountBoot = unit({
  name: "mount-boot",
  title: "Mount /boot, and the EFI, GRUB and config partitions below it",
  owns: ["mount:/boot", "mount:/boot/efi", "mount:/boot/grub", "mount:/boot/config", "/run/guestos-boot/mount-boot.fstab"],
  timeout: 180_000,
  // A disk that does not answer may recover within seconds.
  retryFor: 10_000,
  async plan(machine) {
    const { host, layout } = machine;
    const slot = await requireBootedSlot(host);
    const { partitions, mountPoints } = layout;
    const inspected = await Promise.all([
      missing(host, partitions.boot(slot), mountPoints.boot, "ext4", mountOptions.boot),
      missing(host, partitions.esp, mountPoints.efi, "vfat", mountOptions.efi),
      missing(host, partitions.grub, mountPoints.grub, "vfat", mountOptions.grub),
      missing(host, partitions.config, mountPoints.config, "ext4", mountOptions.config),
    ]);
    return planMounts(machine, "mount-boot", inspected);
  },
});

async function missing(
  host: Host,
  label: string,
  mountPoint: string,
  fileSystem: "ext4" | "vfat",
  options: readonly string[],
): Promise<Inspected> {
  const { device, deviceNumber } = await requireDevice(host, label);
  const present = await mountAt(host, mountPoint);
  if (present?.device === deviceNumber) return undefined;
  if (present !== undefined) {
    return mountPointTaken(mountPoint, {
      found: `${present.source} (${present.fileSystem})`,
      expected: `${device} (${label})`,
      todo: `find out what mounts it (systemctl status '*.mount', systemd.gpt_auto=no on the kernel command line), unmount it, and run guestos-boot again`,
    });
  }
  const place = `${device} (${label})`;
  // A FAT that was in use at a power cut is marked as dirty, and may have no other fault. fsck does not tell the two cases apart.
  const repaired = `the ${fileSystem} file system on ${place} was not unmounted cleanly, or damaged; it was checked and repaired`;
  return { source: device, mountPoint, fileSystem, options, place, repaired };
}
