import { copyFile, mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { blockOf } from "../../src/upgrade/boot-state.ts";
import { makeExt4, makeVfat } from "../filesystems.ts";
import { freshGrubenv } from "../grub.ts";
import { laidOut, type Partition, partitionNamed, partitionsOf, sfdiskScript } from "../layout.ts";
import { run } from "../tools.ts";
import { type Entry, initramfs } from "./initramfs.ts";

const MIB = 1024 * 1024;
const SECTOR = 512;

/** MiB. Of a GuestOS's partitions, the host reads these. */
const SIZES = { grub: 16, A_boot: 32, B_boot: 32 } as const;

export interface SmallGuestOptions {
  /** An image's root tree. Its kernel fits the modules in it. */
  readonly system: string;
  readonly kernel: string;
  /** Of the disk, in MiB. */
  readonly sizeMiB: number;
  /** A folder for files on their way. */
  readonly work: string;
  readonly epoch: number;
}

/**
 * Makes the disk of a small guest: what a host reads of a GuestOS's disk, with a kernel and an initramfs that say how the boot went, ask
 * the host, and wait for the power button. For hosts in a lab, where a whole GuestOS is too slow. The system in B also confirms itself. Needs no root.
 */
export async function makeSmallGuest(disk: string, { system, kernel, sizeMiB, work, epoch }: SmallGuestOptions): Promise<void> {
  await writeFile(disk, "");
  await truncate(disk, sizeMiB * MIB);
  const partitions = smallGuestPartitions();
  await run("sfdisk", ["--quiet", "--no-reread", "--no-tell-kernel", disk], { input: sfdiskScript(partitions) });
  const grub = partitionNamed(partitions, "grub");
  await makeVfat(disk, { partition: grub, files: { grubenv: freshGrubenv() }, work, epoch });

  const boot = join(work, "small-guest");
  await mkdir(boot);
  await copyFile(kernel, join(boot, "vmlinuz"));
  await writeFile(join(boot, "initrd.img"), initramfs(await contents(system, work)));
  const common = "console=ttyS0 quiet panic=-1";
  const args = {
    A: `${common} dfinity.system=A guest_says=SUCCESS guest_asks=GetHostOSVersion`,
    B: `${common} dfinity.system=B guest_says=SUCCESS guest_asks=GetHostOSVersion guest_block=${await sectorOfBlock(disk, grub)}`,
  };
  await writeFile(join(boot, "boot_args"), `BOOT_ARGS_A="${args.A}"\nBOOT_ARGS_B="${args.B}"\n`);
  for (const name of ["A_boot", "B_boot"])
    await makeExt4(disk, { partition: partitionNamed(partitions, name), folder: boot, system, epoch, journal: true });
}

/** Its partitions, which have the names and UUIDs of a GuestOS's. */
export function smallGuestPartitions(): readonly Partition[] {
  const of = partitionsOf("lab");
  return laidOut(
    Object.entries(SIZES).map(([name, size]) => [name, partitionNamed(of, name).uuid, { lab: size, prod: size }] as const),
    "lab",
  );
}

/** The programs of klibc that Debian's initramfs has. */
const PROGRAMS = ["sh", "mount", "insmod", "dd", "sync", "poweroff", "reboot"] as const;
/** Each behind those that it depends on. */
const MODULES = [
  ...["drivers/acpi/button", "drivers/input/evdev", "drivers/block/virtio_blk"],
  ...["vsock", "vmw_vsock_virtio_transport_common", "vmw_vsock_virtio_transport"].map((name) => `net/vmw_vsock/${name}`),
];
/** Perl, which every Debian has and which opens a vsock by itself, and the libraries that it is linked with. */
const PERL = [
  "usr/bin/perl",
  "lib64/ld-linux-x86-64.so.2",
  ...["libc.so.6", "libm.so.6", "libcrypt.so.1"].map((name) => `usr/lib/x86_64-linux-gnu/${name}`),
];

async function contents(system: string, work: string): Promise<readonly Entry[]> {
  const libraries = join(system, "usr/lib");
  const library = await only(libraries, /^klibc-.*\.so$/);
  const modules = join(libraries, "modules", await only(join(libraries, "modules"), /./), "kernel");
  const programs = PROGRAMS.map(async (name) => ({
    path: `bin/${name}`,
    contents: await readFile(join(libraries, "klibc/bin", name)),
  }));
  const unpacked = MODULES.map(async (name) => {
    const file = `${basename(name)}.ko`;
    await copyFile(join(modules, `${name}.ko.xz`), join(work, `${file}.xz`));
    await run("xz", ["--decompress", join(work, `${file}.xz`)]);
    return { path: `lib/${file}`, contents: await readFile(join(work, file)) };
  });
  const perl = PERL.map(async (path) => ({ path, contents: await readFile(join(system, path)) }));
  return [
    ...["bin", "dev", "lib", "lib64", "sys", "usr", "usr/bin", "usr/lib", "usr/lib/x86_64-linux-gnu"].map((path) => ({ path })),
    ...(await Promise.all(["init", "ask"].map(async (path) => ({ path, contents: await readFile(join(import.meta.dirname, path)) })))),
    { path: `usr/lib/${library}`, contents: await readFile(join(libraries, library)) },
    { path: "lib/confirmed", contents: blockOf({ alternative: "B", cycle: "stable", trial: undefined }, []) },
    ...(await Promise.all(programs)),
    ...(await Promise.all([...unpacked, ...perl])),
  ];
}

async function only(folder: string, pattern: RegExp): Promise<string> {
  const [name, second] = (await readdir(folder)).filter((each) => pattern.test(each));
  if (name === undefined || second !== undefined) throw new Error(`not exactly one ${String(pattern)} in ${folder}`);
  return name;
}

/** The first sector of the boot loader's block; the file of that name is in one piece, because it is the first one of the file system. */
async function sectorOfBlock(disk: string, { startMiB, sizeMiB }: Partition): Promise<number> {
  const partition = (await readFile(disk)).subarray(startMiB * MIB, (startMiB + sizeMiB) * MIB);
  const at = partition.indexOf("# GRUB Environment Block");
  if (at < 0 || at % SECTOR !== 0) throw new Error("no block of the boot loader on the disk of the small guest");
  return (startMiB * MIB + at) / SECTOR;
}
