import { join } from "node:path";

/** The repository: everything the lab makes goes below its `build/`. */
export const repository = join(import.meta.dirname, "..");
export const buildFolder = join(repository, "build");

/** What `node vm/image/build.ts` leaves. */
export const image = {
  disk: join(buildFolder, "guestos.img"),
  kernel: join(buildFolder, "guestos.vmlinuz"),
  initrd: join(buildFolder, "guestos.initrd"),
  /** The kernel command line that GRUB would pass, for a direct kernel boot. */
  cmdline: join(buildFolder, "guestos.cmdline"),
};

/** The state folder of the machine of that name: logs, sockets, disk. */
export function stateFolder(name: string): string {
  return join(buildFolder, "vm", name);
}
