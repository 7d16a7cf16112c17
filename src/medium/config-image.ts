import { basename, dirname, join } from "node:path";
import { type Inspection, inspectBootstrapTar } from "./bootstrap-tar.ts";
import { type MediumContents, topLevelEntries } from "./medium-contents.ts";
import { perhaps } from "../base/nearest.ts";
import { quoted } from "../base/quoted.ts";
import { fileChunks } from "../system/files/file-chunks.ts";
import type { Host } from "../system/host.ts";
import { ProblemError, unreadableFile } from "../base/problem.ts";
import { tarOf, type TarSource } from "../tar/tar-writer.ts";
import { syncFileSystem } from "../system/disks/sync.ts";

export interface ConfigImageRequest {
  /** The entries that the image's profile accepts. */
  readonly contents: MediumContents;
  /** Path of the image; an existing file is replaced as a whole. */
  readonly out: string;
  /** A folder with the layout of the tar. */
  readonly folder?: string;
  /** Single files and folders, by their name in the tar: `{ "network.conf": "./node7/network.conf" }`. They override the folder's. */
  readonly entries?: Readonly<Record<string, string>>;
}

/** The time of the image's files and of mkfs, in seconds since 1970: 1980-01-01 00:00 UTC, the earliest that FAT can store. */
const EPOCH = 315_532_800;
/** Any fixed number, so that the same input gives the same image. */
const VOLUME_ID = "1c0f1600";
const LABEL = "CONFIG";
const TAR_NAME = "ic-bootstrap.tar";

/**
 * Builds the configuration medium: a VFAT image labelled CONFIG with ic-bootstrap.tar in it. The same input always gives the same bytes.
 * The tar is inspected as on the node, and nothing is written at `out` unless it passes.
 *
 * @returns the content that the node will find
 * @throws ProblemError for content that the node would refuse, such as a tar without configuration, and for top-level names that the node
 *   would ignore
 */
export async function buildConfigImage(host: Host, request: ConfigImageRequest): Promise<Inspection> {
  const { out } = request;
  // Beside the result, on the same file system. In a folder of its own, so that mcopy gets the right name.
  const work = join(dirname(out), `.${basename(out)}.building`);
  await host.remove(work);
  await host.makeFolder(work, { mode: 0o700 });
  try {
    const tar = join(work, TAR_NAME);
    const sources = await collect(host, request);
    await host.writeStream(tar, tarOf(sources, EPOCH), { mode: 0o600 });
    const inspection = await inspectBootstrapTar(fileChunks(host, tar), TAR_NAME, request.contents, { by: "builder" });
    const size = (await host.stat(tar))?.size ?? 0;
    const image = join(work, "image");
    const env = { SOURCE_DATE_EPOCH: String(EPOCH), TZ: "UTC", MTOOLS_SKIP_CHECK: "1" };
    await host.run({
      program: "mkfs.vfat",
      args: ["--invariant", "-i", VOLUME_ID, "-n", LABEL, "-C", image, String(imageKibibytes(size))],
      env,
    });
    await host.run({ program: "mcopy", args: ["-i", image, tar, `::${TAR_NAME}`], env });
    await host.setAttributes(image, { mode: 0o600 });
    await syncFileSystem(host, image);
    await host.rename(image, out);
    return inspection;
  } finally {
    await host.remove(work);
  }
}

/**
 * Size of an image for a tar of that many bytes. With clusters of at least 2 KiB, the two tables of FAT16 and FAT32 take up to 1/500. The
 * reserved sectors, the root folder and FAT12's tables fit into 128 KiB.
 */
function imageKibibytes(tarBytes: number): number {
  return Math.ceil((tarBytes * 1.005) / 1024) + 128;
}

/** All files and folders of the tar, sorted by name, each folder before its content. */
async function collect(host: Host, { contents, folder, entries = {} }: ConfigImageRequest): Promise<readonly TarSource[]> {
  const known = topLevelEntries(contents);
  const roots = new Map<string, string>();
  if (folder !== undefined) {
    const names = await host.list(folder);
    if (names === undefined) throw new ProblemError(unreadableFile(folder, "no such folder"));
    for (const name of names) roots.set(name, join(folder, name));
  }
  for (const [name, path] of Object.entries(entries)) roots.set(name, path);
  const sources: TarSource[] = [];
  for (const [name, path] of roots) {
    if (!known.includes(name)) {
      const below = ((await host.stat(path))?.kind === "folder" && (await host.list(path))) || [];
      throw new ProblemError({
        code: "not-in-configuration",
        what: `${quoted(name)} is not part of the configuration`,
        where: { file: path },
        expected: perhaps(name, known),
        todo: below.some((child) => known.includes(child))
          ? `build the medium from ${path} instead: it holds what belongs at the top`
          : "rename it or leave it out: the node would ignore it",
      });
    }
    await walk(host, path, name, sources);
  }
  return sources.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function walk(host: Host, path: string, name: string, sources: TarSource[]): Promise<void> {
  const facts = await host.stat(path);
  if (facts?.kind === "file") sources.push({ name, file: { size: facts.size, chunks: () => fileChunks(host, path) } });
  else if (facts?.kind === "folder") {
    sources.push({ name: `${name}/` });
    for (const child of (await host.list(path)) ?? []) await walk(host, join(path, child), `${name}/${child}`, sources);
  } else {
    throw new ProblemError({
      code: "file-not-for-medium",
      what: `${path} cannot be put on the medium`,
      found: facts === undefined ? "nothing of that name" : "a link, device or pipe",
      expected: "a regular file or a folder",
    });
  }
}
