import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getRawAsset } from "node:sea";

/**
 * Loads a native addon that is embedded in the executable.
 *
 * dlopen(3) takes a path, so the addon is in a private file during the call. Early in a boot /tmp may be missing, and the initramfs mounts
 * /run noexec. /dev/shm is a tmpfs that systemd mounts before anything else and that allows execution.
 *
 * @param asset the name under which the build embedded the addon (tools/build.ts)
 * @returns the exports of the addon
 * @throws Error when the file cannot be written, or the loader refuses it
 */
export function loadEmbeddedAddon(asset: string): unknown {
  const folder = mkdtempSync("/dev/shm/guestos-boot-");
  try {
    const path = join(folder, asset);
    writeFileSync(path, new Uint8Array(getRawAsset(asset)), { mode: 0o500 });
    const addon = { exports: {} };
    process.dlopen(addon, path);
    return addon.exports;
  } finally {
    // The mapping keeps the code, so the file can be removed at once.
    rmSync(folder, { recursive: true, force: true });
  }
}
