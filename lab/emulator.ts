import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildFolder } from "../image/paths.ts";

/** Where `make image` unpacks a QEMU that is newer than the host's (image/emulator.ts). */
export const preparedEmulatorFolder = join(buildFolder, "tools/qemu");
export const preparedEmulator = join(preparedEmulatorFolder, "qemu-system-x86_64");

/** The QEMU that machines run in: the one that `make image` unpacked, else the host's. */
export function emulator(): string {
  return existsSync(preparedEmulator) ? preparedEmulator : "qemu-system-x86_64";
}
