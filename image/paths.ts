import { join } from "node:path";
import type { ProfileName } from "../src/profiles/profiles.ts";

/** The repository: everything the lab makes goes below its `build/`. */
export const repository = join(import.meta.dirname, "..");
export const buildFolder = join(repository, "build");

/**
 * What `node image/build.ts` leaves. `cmdline` is the kernel command line that GRUB would pass, for a direct kernel boot; `key`
 * stands for everything that the others were made from.
 */
export type ImageFiles = Readonly<Record<"disk" | "kernel" | "initrd" | "cmdline" | "key", string>>;

/** Those of one profile: guestos.img, guestos-boundary.img. */
export function imageOf(profile: ProfileName): ImageFiles {
  const file = (extension: string): string => join(buildFolder, `guestos${profile === "guestos" ? "" : `-${profile}`}.${extension}`);
  return { disk: file("img"), kernel: file("vmlinuz"), initrd: file("initrd"), cmdline: file("cmdline"), key: file("key") };
}

export const image = imageOf("guestos");

/** The state folder of the machine of that name: logs, sockets, disk. */
export function stateFolder(name: string): string {
  return join(buildFolder, "vm", name);
}

/** Where `make image` unpacks a QEMU that is newer than the host's (emulator.ts). */
export const preparedEmulatorFolder = join(buildFolder, "tools/qemu");
export const preparedEmulator = join(preparedEmulatorFolder, "qemu-system-x86_64");
