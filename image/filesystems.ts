import { utimes, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Partition } from "./layout.ts";
import { run } from "./tools.ts";

const MIB = 1024 * 1024;

/** A partition of a disk image, or a logical volume in one. */
export type Place = Pick<Partition, "name" | "uuid" | "startMiB" | "sizeMiB">;

export interface Ext4Options {
  readonly partition: Place;
  /** Where it begins in the disk, and its size, in MiB; the partition's own when absent. */
  readonly place?: { readonly startMiB: number; readonly sizeMiB: number };
  /** What the file system shall hold. */
  readonly folder: string;
  /** The image's own root tree: its mke2fs is used, not the host's. */
  readonly system: string;
  readonly epoch: number;
  readonly journal: boolean;
}

/**
 * Makes an ext4 in its partition of a disk image, with what is in `folder`. `mke2fs -d` copies owners, modes and
 * extended attributes by itself, and writes at an offset, so that no loop device, no mount and no device-mapper are needed.
 *
 * Features that GRUB 2.06 does not read are left out. The file system's UUID is the partition's: unique on the disk, and
 * the same in every image. The image's own mke2fs is run, by its own loader: the same one on every host, and one that
 * takes the times from SOURCE_DATE_EPOCH (e2fsprogs 1.47.1 and newer), which an older host's does not.
 */
export async function makeExt4(disk: string, { partition, place = partition, folder, system, epoch, journal }: Ext4Options): Promise<void> {
  const uuid = partition.uuid.toLowerCase();
  const features = ["^metadata_csum_seed", "^orphan_file", ...(journal ? [] : ["^has_journal"])];
  const extended = [
    `offset=${place.startMiB * MIB}`,
    `hash_seed=${uuid}`,
    "nodiscard",
    "lazy_itable_init=1",
    "lazy_journal_init=1",
    "root_owner=0:0",
  ];
  await run(
    join(system, "lib64/ld-linux-x86-64.so.2"),
    [
      ...["--library-path", join(system, "usr/lib/x86_64-linux-gnu"), join(system, "usr/sbin/mke2fs")],
      ...["-t", "ext4", "-q", "-F", "-b", "4096", "-m", "0", "-L", partition.name, "-U", uuid, "-O", features.join(",")],
      ...["-E", extended.join(","), "-d", folder, disk, `${place.sizeMiB}M`],
    ],
    { env: { MKE2FS_CONFIG: join(system, "etc/mke2fs.conf"), SOURCE_DATE_EPOCH: String(epoch) } },
  );
}

export interface VfatOptions {
  readonly partition: Place;
  /** Path on the file system: contents. */
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  /** A folder for files on their way. */
  readonly work: string;
  readonly epoch: number;
}

/** Makes a VFAT in its partition of a disk image. mtools write it without a mount. */
export async function makeVfat(disk: string, { partition, files, work, epoch }: VfatOptions): Promise<void> {
  const env = { SOURCE_DATE_EPOCH: String(epoch), TZ: "UTC" };
  const sectors = partition.startMiB * (MIB / 512);
  const place = `${disk}@@${partition.startMiB * MIB}`;
  // The volume id is 32 bits: the first of the partition's UUID. --invariant keeps the time out. FAT16: below 32 MiB of data
  // FAT32 has too few clusters to be one, and UEFI firmware reads either. The size is in KiB.
  const name = partition.name.toUpperCase();
  await run(
    "mkfs.vfat",
    [
      ...["--invariant", "-F", "16", "-i", partition.uuid.slice(0, 8), "-n", name],
      ...[`--offset=${sectors}`, "-h", String(sectors), disk, String(partition.sizeMiB * 1024)],
    ],
    { env },
  );
  const folders = new Set<string>();
  for (const [path, contents] of Object.entries(files)) {
    const parts = path.split("/").slice(0, -1);
    for (const [index] of parts.entries()) {
      const folder = parts.slice(0, index + 1).join("/");
      if (!folders.has(folder)) await run("mmd", ["-i", place, `::${folder}`], { env });
      folders.add(folder);
    }
    const temporary = join(work, basename(path));
    await writeFile(temporary, contents);
    await utimes(temporary, epoch, epoch);
    await run("mcopy", ["-m", "-i", place, temporary, `::${path}`], { env });
  }
}
