import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ProblemError } from "../../src/base/problem.ts";
import type { LayoutName } from "../options.ts";
import { partitionsOf } from "../layout.ts";
import { run } from "../tools.ts";
import { image } from "../paths.ts";
import type { Extent, UpdateContent } from "./update-tar.ts";

const MIB = 1024 * 1024;
const VERSION_FILE = "/opt/ic/share/version.txt";
/** Seconds since 1970, for the one file that is written into the system: the image's own time (image/options.ts). */
const EPOCH = process.env["SOURCE_DATE_EPOCH"] ?? "1767225600";

/**
 * The system of the disk image, with another version.
 *
 * @param folder for a copy of the root file system, which is not needed any more once the image is written
 */
export async function updateContent(version: string, layout: LayoutName, folder: string): Promise<UpdateContent> {
  const root = await withVersion(shippedExtent("A_root", layout), version, folder);
  return { version, boot: shippedExtent("A_boot", layout), root };
}

/** A partition of the disk image. */
export function shippedExtent(name: string, layout: LayoutName = "lab"): Extent {
  const partition = partitionsOf(layout).find((each) => each.name === name);
  if (partition === undefined) throw new Error(`no partition ${name}`);
  return { path: image.disk, offset: partition.startMiB * MIB, bytes: partition.sizeMiB * MIB };
}

/** A copy of the root file system that says that version: written into it by debugfs, as nothing of the image may be mounted to be built. */
async function withVersion(root: Extent, version: string, folder: string): Promise<Extent> {
  const copy = join(folder, "root.img");
  await copyExtent(root, copy);
  const text = join(folder, "version.txt");
  await writeFile(text, `${version}\n`, { mode: 0o644 });
  const env = { E2FSPROGS_FAKE_TIME: EPOCH };
  const edit = async (request: string): Promise<void> => void (await run("debugfs", ["-w", "-R", request, copy], { env }));
  await edit(`rm ${VERSION_FILE}`);
  await edit(`write ${text} ${VERSION_FILE}`);
  // debugfs says with 0 that it did what it could not do.
  const found = await run("debugfs", ["-R", `cat ${VERSION_FILE}`, copy]);
  if (found.trim() !== version)
    throw new ProblemError({
      code: "image-version-not-written",
      what: "the version could not be written into the root image",
      where: { file: copy },
      found,
    });
  await run("e2fsck", ["-f", "-n", copy]);
  return { path: copy, offset: 0, bytes: root.bytes };
}

/** Zeros become holes: a root image is mostly those. */
async function copyExtent({ path, offset, bytes }: Extent, to: string): Promise<void> {
  const [from, target] = [await open(path, "r"), await open(to, "wx")];
  try {
    await target.truncate(bytes);
    const buffer = Buffer.alloc(MIB);
    const zeros = Buffer.alloc(MIB);
    for (let at = 0; at < bytes; at += MIB) {
      const { bytesRead } = await from.read(buffer, 0, Math.min(MIB, bytes - at), offset + at);
      const piece = buffer.subarray(0, bytesRead);
      if (!piece.equals(zeros.subarray(0, bytesRead))) await target.write(piece, 0, bytesRead, at);
    }
  } finally {
    await Promise.all([from.close(), target.close()]);
  }
}
