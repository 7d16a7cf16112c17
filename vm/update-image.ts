/**
 * Builds an upgrade image from the disk image: `make update-image VERSION=…`. The systems in both are the same but for the version.
 *
 * Leaves build/update-VERSION.tar.zst, its signature beside it, and the key that it can be checked with.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { problemLines, ProblemError, toProblem } from "../src/system/problem.ts";
import { type Partition, partitionsOf } from "./image/layout.ts";
import { inTemporaryFolder, interrupted, run, whole } from "./image/tools.ts";
import { buildFolder, image } from "./paths.ts";
import type { Extent } from "./update-tar.ts";
import { writeUpdate } from "./write-update.ts";

const MIB = 1024 * 1024;
const VERSION_FILE = "/opt/ic/share/version.txt";
/** Seconds since 1970, for the one file that is written into the system: the image's own time (vm/image/options.ts). */
const EPOCH = process.env["SOURCE_DATE_EPOCH"] ?? "1767225600";

async function updateImage(version: string): Promise<void> {
  if (!/^[\w.+~-]{1,256}$/.test(version)) {
    throw new ProblemError({
      what: "VERSION is missing or has other characters than a version",
      found: version,
      expected: "make update-image VERSION=1.2.3",
    });
  }
  const partitions = partitionsOf(process.env["LAYOUT"] === "prod" ? "prod" : "lab");
  await inTemporaryFolder(buildFolder, async (folder) => {
    const boot = extent(partitions, "A_boot");
    const root = await withVersion(extent(partitions, "A_root"), version, folder);
    const out = join(buildFolder, `update-${version}.tar.zst`);
    const { sha256, bytes } = await writeUpdate(out, { version, boot, root }, await signingKey());
    console.log(`${out}: ${(bytes / MIB).toFixed(1)} MiB, sha256 ${sha256}`);
  });
}

function extent(partitions: readonly Partition[], name: string): Extent {
  const partition = partitions.find((each) => each.name === name);
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
    throw new ProblemError({ what: "the version could not be written into the root image", where: { file: copy }, found });
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

/** Made on the spot, for tests: an image that goes to nodes is signed by whoever publishes it. */
async function signingKey(): Promise<KeyObject> {
  const file = join(buildFolder, "update-key.pem");
  await mkdir(buildFolder, { recursive: true });
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync("ed25519");
    await whole(file, (temporary) => writeFile(temporary, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 }));
  }
  const key = createPrivateKey(await readFile(file));
  await writeFile(join(buildFolder, "update-key.pub.pem"), createPublicKey(key).export({ type: "spki", format: "pem" }));
  return key;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
try {
  await updateImage(process.env["VERSION"] ?? "");
} catch (error) {
  console.error(`update-image: ${problemLines(toProblem(error)).join("\n       ")}`);
  process.exitCode = 1;
}
