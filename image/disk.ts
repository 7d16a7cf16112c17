import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { copyExtent } from "./extent.ts";
import { makeExt4, makeVfat } from "./filesystems.ts";
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
  /** A folder for files on their way. */
  readonly work: string;
  readonly epoch: number;
}

/** One raw, sparse disk image: the partition table, and system A in its places. System B and both /var are zeros. */
export async function makeDisk(
  disk: string,
  partitions: readonly Partition[],
  { system, rootImage, boot, work, epoch }: DiskContents,
): Promise<void> {
  await writeFile(disk, "");
  await truncate(disk, diskMiB(partitions) * MIB);
  // --no-reread, --no-tell-kernel: it is a file, no one has it open as a disk.
  await run("sfdisk", ["--quiet", "--no-reread", "--no-tell-kernel", disk], { input: sfdiskScript(partitions) });

  const empty = join(work, "empty");
  await mkdir(empty);
  const efi = { "EFI/BOOT/BOOTX64.EFI": await makeGrubImage(join(work, "grub.efi")) };
  const grub = { "grub.cfg": await grubConfiguration(), grubenv: freshGrubenv() };
  const make: Readonly<Record<string, (partition: Partition) => Promise<void>>> = {
    esp: (partition) => makeVfat(disk, { partition, files: efi, work, epoch }),
    grub: (partition) => makeVfat(disk, { partition, files: grub, work, epoch }),
    config: (partition) => makeExt4(disk, { partition, folder: empty, system, epoch, journal: true }),
    A_boot: (partition) => makeExt4(disk, { partition, folder: boot, system, epoch, journal: true }),
    A_root: ({ startMiB, sizeMiB }) => copyExtent({ path: rootImage, offset: 0, bytes: sizeMiB * MIB }, disk, startMiB * MIB),
  };
  for (const partition of partitions) await make[partition.name]?.(partition);
}
