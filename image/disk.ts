import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { copyExtent } from "./extent.ts";
import { makeExt4, makeVfat, type Place } from "./filesystems.ts";
import { freshGrubenv, grubConfiguration, makeGrubImage } from "./grub.ts";
import { diskMiB, type Partition, sfdiskScript } from "./layout.ts";
import { run } from "./tools.ts";

const MIB = 1024 * 1024;

export interface DiskContents {
  /** The image's own root tree, for the tools in it. */
  readonly system: string;
  /** The content of the root partition: a file of its size. */
  readonly rootImage: string;
  /** The tree of the boot partition. */
  readonly boot: string;
  /** The tree of the config partition, where that is an ext4. */
  readonly config: string;
  /** Of a stick: the files of its config partition, which is a VFAT, and the tree of the one with the images. */
  readonly configFiles?: Readonly<Record<string, Uint8Array>>;
  readonly data?: string;
  /** The disk of a host's guest: a file of its volume's size. The volume is zeros when absent. */
  readonly guest?: string;
  /** A folder for files on their way. */
  readonly work: string;
  readonly epoch: number;
}

/** Where everything is on the disk of one profile. */
export interface DiskPlan {
  readonly partitions: readonly Partition[];
  /** The partitions and volumes of both systems, by the names that partitions have. */
  readonly places: readonly Place[];
  /** GRUB's name of a slot's boot file system, where that is not a partition. */
  readonly bootDevice?: (slot: "A" | "B") => string;
  /** GRUB's configuration, where it is not that of a system with two slots. */
  readonly grubFile?: string;
  /** Writes a volume group. */
  readonly makeVolumes?: (disk: string, contents: DiskContents) => Promise<void>;
}

/** One raw, sparse disk image: the partition table, and system A in its places. System B and both /var are zeros. */
export async function makeDisk(disk: string, plan: DiskPlan, contents: DiskContents): Promise<void> {
  const { partitions, places, bootDevice, grubFile, makeVolumes } = plan;
  const { system, rootImage, boot, config, configFiles, data, guest, work, epoch } = contents;
  await writeFile(disk, "");
  await truncate(disk, diskMiB(partitions) * MIB);
  // --no-reread, --no-tell-kernel: it is a file, no one has it open as a disk.
  await run("sfdisk", ["--quiet", "--no-reread", "--no-tell-kernel", disk], { input: sfdiskScript(partitions) });
  await makeVolumes?.(disk, contents);

  const efi = { "EFI/BOOT/BOOTX64.EFI": await makeGrubImage(join(work, "grub.efi"), bootDevice === undefined ? [] : ["lvm"]) };
  const grub: Readonly<Record<string, string>> =
    grubFile === undefined
      ? { "grub.cfg": await grubConfiguration(bootDevice), grubenv: freshGrubenv() }
      : { "grub.cfg": await readFile(grubFile, "utf8") };
  const make: Readonly<Record<string, (partition: Place) => Promise<void>>> = {
    esp: (partition) => makeVfat(disk, { partition, files: efi, work, epoch }),
    grub: (partition) => makeVfat(disk, { partition, files: grub, work, epoch }),
    config: async (partition) =>
      configFiles === undefined
        ? makeExt4(disk, { partition, folder: config, system, epoch, journal: true })
        : makeVfat(disk, { partition, files: configFiles, work, epoch }),
    data: async (partition) => (data === undefined ? undefined : makeExt4(disk, { partition, folder: data, system, epoch, journal: true })),
    ...Object.fromEntries(
      ["A_boot", "boot"].map((name) => [
        name,
        async (partition: Place) => makeExt4(disk, { partition, folder: boot, system, epoch, journal: true }),
      ]),
    ),
    ...Object.fromEntries(["A_root", "root"].map((name) => [name, async (place: Place) => copyWhole(rootImage, disk, place)])),
    guestos: async (place) => (guest === undefined ? undefined : copyWhole(guest, disk, place)),
  };
  for (const place of places) await make[place.name]?.(place);
}

async function copyWhole(file: string, disk: string, { startMiB, sizeMiB }: Place): Promise<void> {
  await copyExtent({ path: file, offset: 0, bytes: sizeMiB * MIB }, disk, startMiB * MIB);
}
