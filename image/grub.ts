import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { kernelArguments, type Partition } from "./layout.ts";
import { run } from "./tools.ts";

/** What grub.cfg uses, and what GRUB needs to reach it: nothing is loaded from a disk later. */
const MODULES = [
  "part_gpt",
  "fat",
  "ext2",
  "normal",
  "linux",
  "boot",
  "loadenv",
  "regexp",
  "test",
  "echo",
  "configfile",
  "serial",
  "terminal",
  "sleep",
  "reboot",
  "efi_gop",
];

/** GRUB as one UEFI program. It looks for grub.cfg on the second partition of the disk it was loaded from. */
export async function makeGrubImage(path: string): Promise<Uint8Array> {
  await run("grub-mkimage", ["-O", "x86_64-efi", "-p", "(,gpt2)/", "-o", path, ...MODULES]);
  return readFile(path);
}

export async function grubConfiguration(): Promise<string> {
  return readFile(join(import.meta.dirname, "grub.cfg"), "utf8");
}

/** The environment block of a new image (GRUB manual, "Environment block"): a header line, values, padded with # to 1024 bytes. */
export function freshGrubenv(): string {
  return "# GRUB Environment Block\nboot_alternative=A\nboot_cycle=install\n".padEnd(1024, "#");
}

/** The file `boot_args` of a boot partition, which GRUB sources. */
export function bootArgs(partitions: readonly Partition[]): string {
  return (["A", "B"] as const).map((slot) => `boot_args_${slot}="${kernelArguments(slot, partitions)}"\n`).join("");
}
