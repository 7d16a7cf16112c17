import { constants, readFileSync, type Stats } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

// The files of the real machine, for the host alone: what each function promises is said of its namesake in ../host.ts.

export interface FileAttributes {
  /** Permission bits, as in 0o600. */
  readonly mode: number;
  /** Numeric owner. When absent it does not change; a new file then belongs to the process, which is root on a node. */
  readonly uid?: number;
  readonly gid?: number;
}

export interface FileFacts extends Required<FileAttributes> {
  readonly kind: "file" | "folder" | "link" | "block-device" | "other";
  /** Bytes. */
  readonly size: number;
}

/** chown(2): "if the owner or group is specified as -1, that ID is not changed". Node takes it as an unsigned number. */
const KEEP = 0xffffffff;

/**
 * Where a file is written before it replaces the original. A leading dot keeps half-written files out of other programs' globs, such as
 * *.conf and *.network. The name is always the same, so the next try replaces what a power cut left. No remains pile up, because there is
 * one runner at a time.
 */
function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.new`);
}

export async function replaceFile(path: string, content: string | Uint8Array, attributes: FileAttributes): Promise<void> {
  const folder = dirname(path);
  const temporary = temporaryFor(path);
  const replaced = await heldOpen(path);
  try {
    await rm(temporary, { force: true });
    await using file = await open(temporary, "wx", attributes.mode & 0o600);
    await give(file, attributes);
    await file.writeFile(content);
    await file.sync();
    await rename(temporary, path);
    // On VFAT the directory entry belongs to the file. The folder's sync alone leaves the old entry on the disk (test/vm/grubenv-crash).
    if (replaced !== undefined) await file.sync();
  } catch (error) {
    await replaced?.close();
    await rm(temporary, { force: true });
    throw error;
  }
  try {
    await syncFolder(folder);
  } finally {
    await replaced?.close();
  }
}

/**
 * Opens the file that is about to be replaced. As long as it is open, its blocks are not freed. On VFAT they would be freed before the new
 * entry is durable, and after a power cut the old entry would lead to nothing.
 *
 * @returns undefined for a path that does not exist or is no regular file
 */
async function heldOpen(path: string): Promise<FileHandle | undefined> {
  if ((await orAbsent(lstat(path)))?.isFile() !== true) return undefined;
  return orAbsent(open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
}

export async function writeStream(path: string, source: AsyncIterable<Uint8Array>, attributes: FileAttributes): Promise<void> {
  // "wx" follows no link and refuses an existing file.
  await using file = await open(path, "wx", attributes.mode & 0o600);
  await give(file, attributes);
  for await (const chunk of source) await file.writeFile(chunk);
}

export async function writeInPlace(path: string, content: string | Uint8Array, offset = 0): Promise<void> {
  // Write-only: sysfs refuses to open a write-only file, such as a bus's `rescan`, for reading.
  await using file = await open(path, constants.O_WRONLY);
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
  // /proc and /sys take effect with the write itself and have no fsync.
  if (!isOfKernel(path)) await file.sync();
}

export async function makeFolder(path: string, attributes: FileAttributes): Promise<void> {
  const parent = dirname(path);
  if ((await orAbsent(stat(path)))?.isDirectory() === true) return;
  if (parent !== path) await makeFolder(parent, { mode: 0o755 });
  // Another process may have made it meanwhile, with a mode of its own. EEXIST remains for a path that is not a folder.
  const made = await mkdir(path, { recursive: true, mode: attributes.mode });
  if (made !== undefined) await setAttributes(path, attributes);
  await syncFolder(parent);
}

export async function setAttributes(path: string, attributes: FileAttributes): Promise<void> {
  // ELOOP for a link: its target is not ours to give away. Non-blocking, so that a pipe without a writer does not hang the boot.
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  await give(file, attributes);
}

/** The owner first: chown(2) may clear bits of the mode. */
async function give(file: FileHandle, { mode, uid = KEEP, gid = KEEP }: FileAttributes): Promise<void> {
  await file.chown(uid, gid);
  await file.chmod(mode);
}

/** The kernel answers these reads from memory. A read in another thread would only add the cost of the thread switch. */
export function isOfKernel(path: string): boolean {
  return path.startsWith("/sys/") || path.startsWith("/proc/");
}

export async function readKernelFile(path: string): Promise<string> {
  return readFileSync(path, "utf8");
}

/** A file where a folder was expected is not the same as a missing path: that error is thrown. */
export async function list(path: string): Promise<readonly string[] | undefined> {
  try {
    return (await readdir(path)).toSorted();
  } catch (error) {
    if ((await orAbsent(stat(path))) === undefined) return undefined;
    throw error;
  }
}

/** Makes names in a folder durable. A rename is only in memory until then (fsync(2)). */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, "r");
  await folder.sync();
}

export async function readAt(path: string, offset: number, length: number): Promise<Uint8Array> {
  await using file = await open(path, "r");
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, offset + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}

/**
 * `undefined` only for a path that does not exist; every other error is thrown. ENOTDIR also means that: a file is in the place of a parent
 * folder, so nothing can lie below it.
 */
export async function orAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
    throw error;
  }
}

/** Adds the path to errors of open files, which do not name it: "ENOSPC: no space left on device, write" does not help the operator. */
export async function naming<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && "syscall" in error) Object.assign(error, { path });
    throw error;
  }
}

export async function facts(path: string): Promise<FileFacts | undefined> {
  const found = await orAbsent(lstat(path));
  return found === undefined
    ? undefined
    : { kind: kindOf(found), mode: found.mode & 0o7777, uid: found.uid, gid: found.gid, size: found.size };
}

function kindOf(found: Stats): FileFacts["kind"] {
  if (found.isFile()) return "file";
  if (found.isDirectory()) return "folder";
  if (found.isSymbolicLink()) return "link";
  return found.isBlockDevice() ? "block-device" : "other";
}

export async function remove(path: string): Promise<void> {
  // First the remains of a replacement that a power cut left: nothing of the removed path may stay.
  const half = temporaryFor(path);
  const isHalf = (await orAbsent(lstat(half)))?.isFile() === true;
  // By force, which means: another process may remove the same meanwhile.
  if (isHalf) await rm(half, { force: true });
  const isThere = (await orAbsent(lstat(path))) !== undefined;
  if (isThere) await rm(path, { recursive: true, force: true });
  if (isHalf || isThere) await syncFolder(dirname(path));
}

export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(dirname(to));
  if (dirname(from) !== dirname(to)) await syncFolder(dirname(from));
}
