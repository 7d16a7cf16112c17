import { truncate, utimes, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Partition } from "./layout.ts";
import { run } from "./tools.ts";

/**
 * A file of a partition's size with an ext4 that holds what is in `folder`: `mke2fs -d` copies owners, modes and
 * extended attributes by itself, so that no loop device, no mount and no device-mapper are needed.
 *
 * The features that GRUB does not read (2.06) or that bring chance or time into the image are left out. The file
 * system's UUID is the partition's: unique on the disk, and the same in every image.
 */
export async function makeExt4(path: string, partition: Partition, folder: string, epoch: number, journal: boolean): Promise<void> {
  await truncateTo(path, partition.sizeMiB);
  const features = ["^metadata_csum_seed", "^orphan_file", ...(journal ? [] : ["^has_journal"])];
  await run(
    "mke2fs",
    [
      ...["-t", "ext4", "-q", "-F", "-b", "4096", "-m", "0", "-L", partition.name, "-U", partition.uuid.toLowerCase()],
      ...["-O", features.join(","), "-E", `hash_seed=${partition.uuid.toLowerCase()},lazy_itable_init=1,lazy_journal_init=1,root_owner=0:0`],
      ...["-d", folder, path],
    ],
    // The name that e2fsprogs before 1.47.1 has for SOURCE_DATE_EPOCH.
    { env: { E2FSPROGS_FAKE_TIME: String(epoch), SOURCE_DATE_EPOCH: String(epoch) } },
  );
}

/** A file of a partition's size with a VFAT that holds the given files (path on the file system: contents). */
export async function makeVfat(path: string, partition: Partition, files: Readonly<Record<string, Uint8Array | string>>, epoch: number): Promise<void> {
  await truncateTo(path, partition.sizeMiB);
  const env = { SOURCE_DATE_EPOCH: String(epoch), TZ: "UTC" };
  // The volume id is 32 bits: the first of the partition's UUID. --invariant keeps the time out.
  await run("mkfs.vfat", ["--invariant", "-i", partition.uuid.slice(0, 8), "-n", partition.name.toUpperCase(), path], { env });
  const folders = new Set<string>();
  for (const [name, contents] of Object.entries(files)) {
    const parts = name.split("/").slice(0, -1);
    for (const [index] of parts.entries()) {
      const folder = parts.slice(0, index + 1).join("/");
      if (!folders.has(folder)) await run("mmd", ["-i", path, `::${folder}`], { env });
      folders.add(folder);
    }
    const temporary = `${path}.${basename(name)}`;
    await writeFile(temporary, contents);
    await utimes(temporary, epoch, epoch);
    await run("mcopy", ["-m", "-i", path, temporary, `::${name}`], { env });
  }
}

async function truncateTo(path: string, sizeMiB: number): Promise<void> {
  await writeFile(path, "");
  await truncate(path, sizeMiB * 1024 * 1024);
}
