import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ProblemError } from "../../src/base/problem.ts";
import type { ProfileName } from "../../src/profiles/profiles.ts";
import { type Extent, extentInFile } from "../extent.ts";
import { bootArgs } from "../grub.ts";
import { kernelArguments, type Named, partitionNamed, partitionsOf, rootBytes } from "../layout.ts";
import type { LayoutName } from "../options.ts";
import { imageOf } from "../paths.ts";
import { run } from "../tools.ts";
import { addHashTree, type VerifiedRoot } from "../verity.ts";
import { hostosArguments, hostosDisk } from "../volume-group.ts";
import type { UpdateContent } from "./update-tar.ts";

const MIB = 1024 * 1024;
const VERSION_FILE = "/opt/ic/share/version.txt";
/** Seconds since 1970, for the files that are written into the system: the image's own time (image/options.ts). */
const EPOCH = process.env["SOURCE_DATE_EPOCH"] ?? "1767225600";

export interface SealedContent extends UpdateContent {
  readonly verified: VerifiedRoot;
}

/** Edits a root file system further, before what is made of it is made. */
type Change = (root: string) => Promise<void>;

/**
 * The system of the disk image with another version, of that profile. A GuestOS and a boundary node have another hash tree then, and so another
 * root hash; a HostOS has none.
 *
 * @param folder for copies of both partitions, which are not needed any more once the image is written
 */
export async function contentOf(
  profile: ProfileName,
  version: string,
  layout: LayoutName,
  folder: string,
  change: Change = async () => undefined,
): Promise<UpdateContent> {
  return profile === "hostos" ? hostosContent(version, layout, folder, change) : updateContent(version, layout, folder, change, profile);
}

/** That of a system whose root has a hash tree. @param folder as of `contentOf` */
export async function updateContent(
  version: string,
  layout: LayoutName,
  folder: string,
  change: Change = async () => undefined,
  profile: Exclude<ProfileName, "hostos"> = "guestos",
): Promise<SealedContent> {
  const root = await changedRoot(shippedExtent("A_root", layout, profile), version, folder, change);
  const partitions = partitionsOf(layout);
  const verified = await addHashTree(root.path, rootBytes(layout), partitionNamed(partitions, "A_root").uuid);
  const boot = await changedBoot(shippedExtent("A_boot", layout, profile), folder, (slot) => kernelArguments(slot, partitions, verified));
  return { version, boot, root, verified };
}

async function hostosContent(version: string, layout: LayoutName, folder: string, change: Change): Promise<UpdateContent> {
  const root = await changedRoot(shippedExtent("A_root", layout, "hostos"), version, folder, change);
  const boot = await changedBoot(shippedExtent("A_boot", layout, "hostos"), folder, hostosArguments);
  return { version, boot, root };
}

async function changedRoot(shipped: Extent, version: string, folder: string, change: Change): Promise<Extent> {
  const root = await extentInFile(shipped, join(folder, "root.img"));
  await replaceFile(root.path, VERSION_FILE, `${version}\n`, folder);
  await change(root.path);
  return root;
}

async function changedBoot(shipped: Extent, folder: string, args: (slot: "A" | "B") => string): Promise<Extent> {
  const boot = await extentInFile(shipped, join(folder, "boot.img"));
  await replaceFile(boot.path, "/boot_args", bootArgs(args), folder);
  return boot;
}

/** A partition of the disk image, or of a HostOS's a logical volume. */
export function shippedExtent(name: string, layout: LayoutName = "lab", profile: ProfileName = "guestos"): Extent {
  const { disk: path } = imageOf(profile);
  const { startMiB, sizeMiB } = partitionNamed(profile === "hostos" ? hostosPlaces(layout) : partitionsOf(layout), name);
  return { path, offset: startMiB * MIB, bytes: sizeMiB * MIB };
}

function hostosPlaces(layout: LayoutName): readonly Named[] {
  const { partitions, volumes } = hostosDisk(layout);
  return [...partitions, ...volumes];
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
