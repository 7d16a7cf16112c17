import { createHash, type Hash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { lstat, mkdir, mkdtemp, readdir, readlink, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Command, runCommand } from "../src/system/command.ts";

/** The longest that any one tool of the builder takes on a slow network: mmdebstrap. */
const TIMEOUT = 30 * 60_000;

/** Stops the tools that are running when the builder is told to stop. */
export const interrupted = new AbortController();

/** Runs a tool; its standard output. */
export async function run(program: string, args: readonly string[], options: Pick<Command, "input" | "env"> = {}): Promise<string> {
  const { stdout } = await runCommand({ program, args, timeout: TIMEOUT, ...options }, interrupted.signal);
  return stdout;
}

/** Does one step of the work, and says on standard output what it was and how long it took. */
export async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  console.log(`image: ${what} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  return result;
}

/** Makes a file under a name of its own and renames it when it is whole: a half-written one is never found under its name. */
export async function whole(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}.part`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await make(temporary);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true, recursive: true });
  }
}

/**
 * Makes a cached file `<kind>-<key>.<ext>` unless it is there. Older ones of its kind are removed: they are large, and
 * made again from what is known.
 */
export async function cached(path: string, what: string, make: (temporary: string) => Promise<void>): Promise<void> {
  if (existsSync(path)) return;
  await step(what, () => whole(path, make));
  const kind = `${basename(path).split("-")[0]}-`;
  const older = (await readdir(dirname(path))).filter(
    (name) => name.startsWith(kind) && name !== basename(path) && !name.endsWith(".part"),
  );
  for (const name of older) await rm(join(dirname(path), name));
}

/** Runs `work` in a fresh folder, which is gone afterwards. It is in `out`, because /tmp may be too small for a system. */
export async function inTemporaryFolder<T>(out: string, work: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(out, { recursive: true });
  const folder = await mkdtemp(join(out, "work-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A digest of texts, and of files and folders with all that is below them: names, kinds, permissions, contents. Missing paths count as missing. */
export async function fingerprint(texts: readonly string[], paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(`text ${text.length} ${text}\n`);
  for (const path of paths) await addPath(hash, path, "");
  return hash.digest("hex").slice(0, 16);
}

async function addPath(hash: Hash, path: string, name: string): Promise<void> {
  const status = await lstat(path).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  if (status === undefined) {
    hash.update(`missing ${name}\n`);
  } else if (status.isDirectory()) {
    hash.update(`folder ${name}\n`);
    for (const entry of (await readdir(path)).toSorted()) await addPath(hash, join(path, entry), `${name}/${entry}`);
  } else if (status.isSymbolicLink()) {
    hash.update(`link ${name} ${await readlink(path)}\n`);
  } else {
    hash.update(`file ${name} ${(status.mode & 0o111) === 0 ? "" : "x"} ${status.size}\n`);
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  }
}
