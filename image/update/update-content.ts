import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ProblemError } from "../../src/base/problem.ts";
import { type Extent, extentInFile } from "../extent.ts";
import { bootArgs } from "../grub.ts";
import { kernelArguments, partitionNamed, partitionsOf, rootBytes } from "../layout.ts";
import type { LayoutName } from "../options.ts";
import { image } from "../paths.ts";
import { run } from "../tools.ts";
import { addHashTree, type VerifiedRoot } from "../verity.ts";
import type { UpdateContent } from "./update-tar.ts";

const MIB = 1024 * 1024;
const VERSION_FILE = "/opt/ic/share/version.txt";
/** Seconds since 1970, for the files that are written into the system: the image's own time (image/options.ts). */
const EPOCH = process.env["SOURCE_DATE_EPOCH"] ?? "1767225600";

export interface SealedContent extends UpdateContent {
  readonly verified: VerifiedRoot;
}

/**
 * The system of the disk image, with another version, and so with another hash tree and root hash.
 *
 * @param folder for copies of both partitions, which are not needed any more once the image is written
 * @param change edits the root file system further, before the tree is made
 */
export async function updateContent(
  version: string,
  layout: LayoutName,
  folder: string,
  change: (root: string) => Promise<void> = async () => undefined,
): Promise<SealedContent> {
  const root = await extentInFile(shippedExtent("A_root", layout), join(folder, "root.img"));
  await replaceFile(root.path, VERSION_FILE, `${version}\n`, folder);
  await change(root.path);
  const partitions = partitionsOf(layout);
  const verified = await addHashTree(root.path, rootBytes(layout), partitionNamed(partitions, "A_root").uuid);
  const boot = await extentInFile(shippedExtent("A_boot", layout), join(folder, "boot.img"));
  await replaceFile(
    boot.path,
    "/boot_args",
    bootArgs((slot) => kernelArguments(slot, partitions, verified)),
    folder,
  );
  return { version, boot, root, verified };
}

/** A partition of the disk image. */
export function shippedExtent(name: string, layout: LayoutName = "lab"): Extent {
  const { startMiB, sizeMiB } = partitionNamed(partitionsOf(layout), name);
  return { path: image.disk, offset: startMiB * MIB, bytes: sizeMiB * MIB };
}

/** Writes a file of an ext4 by debugfs: nothing of the image may be mounted to be built. @param work a folder for the text */
async function replaceFile(fileSystem: string, path: string, text: string, work: string): Promise<void> {
  const source = join(work, "replacement");
  await writeFile(source, text, { mode: 0o644 });
  const env = { E2FSPROGS_FAKE_TIME: EPOCH };
  for (const request of [`rm ${path}`, `write ${source} ${path}`]) await run("debugfs", ["-w", "-R", request, fileSystem], { env });
  // debugfs says with 0 that it did what it could not do.
  const found = await run("debugfs", ["-R", `cat ${path}`, fileSystem]);
  if (found !== text)
    throw new ProblemError({
      code: "image-file-not-written",
      what: `${path} could not be written into the image`,
      where: { file: fileSystem },
      found,
    });
  await run("e2fsck", ["-f", "-n", fileSystem]);
}
