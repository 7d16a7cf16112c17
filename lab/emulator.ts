import { existsSync } from "node:fs";
import { preparedEmulator } from "../image/paths.ts";

/** The QEMU that machines run in: the one that `make image` unpacked, else the host's. */
export function emulator(): string {
  return existsSync(preparedEmulator) ? preparedEmulator : "qemu-system-x86_64";
}
