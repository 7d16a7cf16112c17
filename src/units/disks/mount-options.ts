import type { Layout } from "../../config/layout/layout.ts";
import { READERS } from "../../system/files/readers.ts";

const RESTRICTED = ["nodev", "nosuid", "noexec"];

/** For a volume of the store. It holds no devices and no programs: the node's software comes with the image. */
export const volumeOptions: readonly string[] = RESTRICTED;

/** The mount options of each file system of the node: only what it needs. */
export const mountOptions: Readonly<Record<keyof Layout["mountPoints"], readonly string[]>> = {
  // An upgrade writes only to the other slot's boot partition, never to the mounted one.
  boot: ["ro", ...RESTRICTED],
  efi: ["ro", "umask=0077", ...RESTRICTED],
  // confirm and commit write grubenv. errors=remount-ro, the default, keeps a broken FAT from getting worse. The group of readers may see
  // which system the next boot starts.
  grub: ["rw", `gid=${READERS.gid}`, "umask=0027", ...RESTRICTED],
  // sync: the partition is small and rarely written, and everything on it must survive a power cut.
  config: ["rw", "sync", ...RESTRICTED],
  var: ["nodev", "nosuid"],
  data: volumeOptions,
  crypto: volumeOptions,
  backup: volumeOptions,
};

/**
 * For a bind mount over the read-only root. It is read-only too: a change there would be lost at the reboot. The operator must change the
 * file that it is made from.
 */
export const boundOptions: readonly string[] = ["ro", ...RESTRICTED];
