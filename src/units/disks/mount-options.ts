import type { Layout } from "../../config/layout/layout.ts";
import { READERS } from "../../system/files/readers.ts";

const RESTRICTED = ["nodev", "nosuid", "noexec"];

/** Of a volume of the store. Nothing there is a device or a program: what the node's software runs comes with the image. */
export const volumeOptions: readonly string[] = RESTRICTED;

/** With which options each file system of the node is mounted: what it needs, and no more. */
export const mountOptions: Readonly<Record<keyof Layout["mountPoints"], readonly string[]>> = {
  // Written by an upgrade only while it is the other slot's.
  boot: ["ro", ...RESTRICTED],
  efi: ["ro", "umask=0077", ...RESTRICTED],
  // grubenv is written by confirm and commit. errors=remount-ro, as by default, keeps a broken FAT from getting worse.
  // The readers see what the next boot starts.
  grub: ["rw", `gid=${READERS.gid}`, "umask=0027", ...RESTRICTED],
  // sync: small, rarely written, and everything on it must survive a power cut.
  config: ["rw", "sync", ...RESTRICTED],
  var: ["nodev", "nosuid"],
  data: volumeOptions,
  crypto: volumeOptions,
  backup: volumeOptions,
};

/**
 * Of what is bound over the read-only root: read-only itself, for who wants to change it must change what it is made from, or
 * lose it at the reboot.
 */
export const boundOptions: readonly string[] = ["ro", ...RESTRICTED];
