import { spawnSync } from "node:child_process";

/**
 * A file as GRUB's own FAT driver reads it (grub-fstest, of the same sources).
 *
 * @param partition in GRUB's words ("gpt2"); the whole disk when absent
 * @returns undefined when it does not find or read it
 */
export function readAsGrub(disk: string, file: string, partition?: string): Uint8Array | undefined {
  const device = partition === undefined ? "loop0" : `loop0,${partition}`;
  const { status, stdout, stderr } = spawnSync("grub-fstest", [disk, "cat", `(${device})/${file}`]);
  if (status === 0) return stdout;
  // That there is no such disk is nothing that GRUB would find.
  if (status === 1 && !stderr.includes("`loopback' command fails")) return undefined;
  throw new Error(`grub-fstest did not end well: ${stderr.toString()}`);
}
