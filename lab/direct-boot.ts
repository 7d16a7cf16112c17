import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { partitionsOf } from "../image/layout.ts";
import { type HostBoot, hostBoot } from "./host-grubenv.ts";
import type { BootWay, DiskAttachment } from "./qemu-command.ts";
import { tool } from "./tool.ts";

const MIB = 1024 * 1024;

export interface DirectBoot extends Pick<HostBoot, "slot" | "cycle"> {
  readonly boot: Extract<BootWay, { readonly kind: "kernel" }>;
}

type Disk = Pick<DiskAttachment, "path" | "format">;

/**
 * What a host does before each start of a guest whose kernel it boots itself: it reads and advances the boot state on the guest's disk, and
 * takes kernel, initrd and command line from the slot's boot partition. GRUB does not run.
 *
 * @param disk of the lab's layout; no machine has it open
 * @param folder scratch for the partitions and the kernel, which QEMU reads from there
 * @throws Error where the host would not start the machine
 */
export async function directBoot(disk: Disk, folder: string): Promise<DirectBoot> {
  await mkdir(folder, { recursive: true });
  const grub = await partition(disk, folder, "grub");
  const before = await readFromVfat(grub, "grubenv", join(folder, "grubenv"));
  const { slot, cycle, block } = hostBoot(before);
  const boot = await partition(disk, folder, `${slot}_boot`);
  const files = { kernel: join(folder, "vmlinuz"), initrd: join(folder, "initrd.img"), args: join(folder, "boot_args") };
  // debugfs ends with 0 whether or not it found the file: a missing one is an error of the read below.
  for (const file of Object.values(files)) await rm(file, { force: true });
  for (const [name, file] of [
    ["vmlinuz", files.kernel] as const,
    ["initrd.img", files.initrd] as const,
    ["boot_args", files.args] as const,
  ])
    await tool("debugfs", ["-R", `dump /${name} ${file}`, boot]);
  const cmdline = argumentsIn(await readFile(files.args, "utf8"), `BOOT_ARGS_${slot}`);
  await readFile(files.kernel);
  await readFile(files.initrd);
  // Only once all else is there, and then beside the old one and renamed.
  if (block !== undefined) {
    await writeFile(join(folder, "grubenv"), block);
    await tool("mcopy", ["-o", "-i", grub, join(folder, "grubenv"), "::grubenv.new"]);
    await tool("mdel", ["-i", grub, "::grubenv"]);
    await tool("mren", ["-i", grub, "::grubenv.new", "grubenv"]);
    await putBack(disk, grub, "grub");
  }
  await Promise.all([grub, boot].map((file) => rm(file)));
  return { slot, cycle, boot: { kind: "kernel", kernel: files.kernel, initrd: files.initrd, cmdline } };
}

/** The value of the last line `NAME="…"`, without its quotes. Our file has no escapes in it. */
function argumentsIn(text: string, name: string): string {
  const value = text.split("\n").findLast((line) => line.startsWith(`${name}=`));
  const [, inside] = /^\w+="([^"\\]*)"$/.exec(value ?? "") ?? [];
  if (inside === undefined) throw new Error(`boot_args has no ${name}: ${text}`);
  return inside;
}

function placeOf(name: string): { readonly startMiB: number; readonly sizeMiB: number } {
  const found = partitionsOf("lab").find((each) => each.name === name);
  if (found === undefined) throw new Error(`no partition ${name}`);
  return found;
}

/** Copies a partition out of the disk. @returns the file */
async function partition({ path, format = "qcow2" }: Disk, folder: string, name: string): Promise<string> {
  const { startMiB, sizeMiB } = placeOf(name);
  const file = join(folder, `${name}.part`);
  await rm(file, { force: true });
  const range = [`bs=${MIB}`, `skip=${startMiB}`, `count=${startMiB + sizeMiB}`, `if=${path}`, `of=${file}`];
  await tool("qemu-img", ["dd", "-f", format, "-O", "raw", ...range], { timeout: 120_000 });
  return file;
}

async function putBack({ path, format = "qcow2" }: Disk, file: string, name: string): Promise<void> {
  const { startMiB, sizeMiB } = placeOf(name);
  await tool("qemu-io", ["-f", format, "-c", `write -s ${file} ${startMiB * MIB} ${sizeMiB * MIB}`, path], { timeout: 120_000 });
}

async function readFromVfat(file: string, name: string, to: string): Promise<Uint8Array> {
  await rm(to, { force: true });
  await tool("mcopy", ["-i", file, `::${name}`, to]);
  return readFile(to);
}
