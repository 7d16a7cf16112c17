import { readFile } from "node:fs/promises";
import { join } from "node:path";
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

/**
 * GRUB as one UEFI program. It reads grub.cfg from the second partition of the disk it was loaded from.
 *
 * @param more modules of a system whose boot file systems are not partitions
 */
export async function makeGrubImage(path: string, more: readonly string[] = []): Promise<Uint8Array> {
  await run("grub-mkimage", ["-O", "x86_64-efi", "-p", "(,gpt2)/", "-o", path, ...MODULES, ...more]);
  return readFile(path);
}

/** @param bootDevice GRUB's name of each slot's boot file system, where it is not a partition of the disk's GPT */
export async function grubConfiguration(bootDevice?: (slot: "A" | "B") => string): Promise<string> {
  const text = await readFile(join(import.meta.dirname, "grub.cfg"), "utf8");
  if (bootDevice === undefined) return text;
  return text.replace('"$disk,gpt4"', `"${bootDevice("A")}"`).replace('"$disk,gpt7"', `"${bootDevice("B")}"`);
}

/** The environment block of a new image (GRUB manual, "Environment block"): a header line, values, padded with # to 1024 bytes. */
export function freshGrubenv(): string {
  return "# GRUB Environment Block\nboot_alternative=A\nboot_cycle=install\n".padEnd(1024, "#");
}

/** The file `boot_args` of a boot partition: GRUB sources the names in small letters, a host that boots the kernel itself reads the others. */
export function bootArgs(kernelArguments: (slot: "A" | "B") => string): string {
  const names = ["boot_args_A", "boot_args_B", "BOOT_ARGS_A", "BOOT_ARGS_B"];
  return names.map((name) => `${name}="${kernelArguments(name.endsWith("A") ? "A" : "B")}"\n`).join("");
}
