import { basename, dirname, join } from "node:path";
import { pack, type Pack } from "tar-stream";
import { type Inspection, inspectBootstrapTar } from "./bootstrap-tar.ts";
import { type MediumContents, topLevelEntries } from "./medium-contents.ts";
import { nearest } from "../base/nearest.ts";
import { quoted } from "../base/quoted.ts";
import { fileChunks } from "../system/files/file-chunks.ts";
import type { Host } from "../system/host.ts";
import { ProblemError, unreadableFile } from "../base/problem.ts";
import { syncFileSystem } from "../system/disks/sync.ts";

export interface ConfigImageRequest {
  /** What the profile that it is for takes in. */
  readonly contents: MediumContents;
  /** The image to be written; replaced whole when it is there. */
  readonly out: string;
  /** A folder that is laid out like the tar. */
  readonly folder?: string;
  /** Single files and folders, by their name in the tar: `{ "network.conf": "./node7/network.conf" }`. They win over the folder's. */
  readonly entries?: Readonly<Record<string, string>>;
}

/** The FAT time of what is in the image, and mkfs's: 1980-01-01 00:00 UTC, the first that FAT knows. */
const EPOCH = "315532800";
/** Any number will do, as long as it is always the same one. */
const VOLUME_ID = "1c0f1600";
const LABEL = "CONFIG";
const TAR_NAME = "ic-bootstrap.tar";

/**
 * Builds the configuration medium: a VFAT image labelled CONFIG with ic-bootstrap.tar in it. The same input gives the same
 * bytes, wherever and whenever. The tar is inspected as the node will do it, and nothing is written at `out` unless it passes.
 *
 * @returns what the node will find in it
 * @throws ProblemError for what the node would refuse, as with nothing to be configured by, and for top-level names that it would ignore
 */
export async function buildConfigImage(host: Host, request: ConfigImageRequest): Promise<Inspection> {
  const { out } = request;
  // Beside the result: on the same file system, and in a folder of its own, so that mcopy sees the right name.
  const work = join(dirname(out), `.${basename(out)}.building`);
  await host.remove(work);
  await host.makeFolder(work, { mode: 0o700 });
  try {
    const tar = join(work, TAR_NAME);
    const sources = await collect(host, request);
    await host.writeStream(tar, tarOf(host, sources), { mode: 0o600 });
    const inspection = await inspectBootstrapTar(fileChunks(host, tar), TAR_NAME, request.contents, { by: "builder" });
    const size = (await host.stat(tar))?.size ?? 0;
    const image = join(work, "image");
    const env = { SOURCE_DATE_EPOCH: EPOCH, TZ: "UTC", MTOOLS_SKIP_CHECK: "1" };
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
 * Room for a tar of that many bytes: clusters of at least 2 KiB cost up to 1/500 in FAT16's and FAT32's two tables, and 128 KiB
 * hold the reserved sectors, the root folder and FAT12's tables.
 */
function imageKibibytes(tarBytes: number): number {
  return Math.ceil((tarBytes * 1.005) / 1024) + 128;
}

interface Source {
  /** In the tar. */
  readonly name: string;
  /** `undefined` for a folder. */
  readonly file?: { readonly path: string; readonly size: number };
}

/** Everything that goes into the tar, sorted by name, folders before what is in them. */
async function collect(host: Host, { contents, folder, entries = {} }: ConfigImageRequest): Promise<readonly Source[]> {
  const known = topLevelEntries(contents);
  const roots = new Map<string, string>();
  if (folder !== undefined) {
    const names = await host.list(folder);
    if (names === undefined) throw new ProblemError(unreadableFile(folder, "no such folder"));
    for (const name of names) roots.set(name, join(folder, name));
  }
  for (const [name, path] of Object.entries(entries)) roots.set(name, path);
  const sources: Source[] = [];
  for (const [name, path] of roots) {
    if (!known.includes(name)) {
      const meant = nearest(name, known);
      const below = ((await host.stat(path))?.kind === "folder" && (await host.list(path))) || [];
      throw new ProblemError({
        code: "not-in-configuration",
        what: `${quoted(name)} is no part of the configuration`,
        where: { file: path },
        expected: meant === undefined ? `one of ${known.join(", ")}` : `perhaps ${meant}`,
        todo: below.some((child) => known.includes(child))
          ? `build the medium from ${path} instead: it holds what belongs at the top`
          : "rename it or leave it out: the node would ignore it",
      });
    }
    await walk(host, path, name, sources);
  }
  return sources.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function walk(host: Host, path: string, name: string, sources: Source[]): Promise<void> {
  const facts = await host.stat(path);
  if (facts?.kind === "file") sources.push({ name, file: { path, size: facts.size } });
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

async function* tarOf(host: Host, sources: readonly Source[]): AsyncIterable<Uint8Array> {
  const tar = pack();
  const filling = fill(host, tar, sources);
  // Its error also ends the stream, which is where it is thrown; awaited below.
  filling.catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  for await (const chunk of tar) if (chunk instanceof Uint8Array) yield chunk;
  await filling;
}

async function fill(host: Host, tar: Pack, sources: readonly Source[]): Promise<void> {
  for (const { name, file } of sources) {
    const fixed = { name, mtime: new Date(Number(EPOCH) * 1000), uid: 0, gid: 0, uname: "", gname: "" };
    if (file === undefined) {
      tar.entry({ ...fixed, type: "directory", mode: 0o755 });
      continue;
    }
    const { promise: written, resolve, reject } = Promise.withResolvers<void>();
    const entry = tar.entry({ ...fixed, type: "file", mode: 0o644, size: file.size }, (error) =>
      error instanceof Error ? reject(error) : resolve(),
    );
    for await (const chunk of file.size === 0 ? [] : fileChunks(host, file.path)) {
      const { promise: drained, resolve: drain } = Promise.withResolvers<void>();
      entry.once("drain", drain);
      if (!entry.write(chunk)) await Promise.race([drained, written]);
      entry.off("drain", drain);
    }
    entry.end(undefined);
    await written;
  }
  tar.finalize();
}
