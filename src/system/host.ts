import { constants, readFileSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, readFile, readlink, rename, rm, stat, statfs, lstat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Command, type Completed, CommandError, runCommand } from "./command.ts";
import type { Ending } from "./ending.ts";

/**
 * The tools and files of the machine, as one value that is passed around.
 *
 * Each tool that a unit runs, and each file that it reads or writes, goes through it. So tests can watch, refuse or interrupt each one,
 * and the runner can record which tools ran. A missing file is `undefined`; a failure to read is thrown: never the same answer.
 *
 * Not all of the machine is tools and files. These go past it, in src/system alone:
 *
 *   the system bus       systemd/dbus.ts, dbus-signals.ts: requests to services, and their signals
 *   the kernel's events  inotify, `ip monitor`, `nft monitor`: they have no end; and statfs(2), which is no file
 *   the program's own    its lock, record, journal socket, console, threads, terminal, and its own processes
 *   upgrade images       read from a file or a server, and written to a slot by direct I/O, in buffers that are reused
 *
 * oxlint.config.ts names the files of src/system that open something by themselves. Even there, command.ts starts every process.
 */
export interface Host {
  /** Aborted when the unit that holds this host must end: its time is up, or the program was told to stop. */
  readonly signal: AbortSignal;
  /** Runs a tool until it ends or its time is up. @throws CommandError */
  run(command: Command): Promise<Completed>;
  /** The file's text, or `undefined` when there is no such file. Also reads /proc and /sys. */
  readText(path: string): Promise<string | undefined>;
  /** The file's bytes, or `undefined` when there is no such file. */
  readBytes(path: string): Promise<Uint8Array | undefined>;
  /** Up to `length` bytes from `offset` of a file or block device, or `undefined` when it does not exist. */
  readAt(path: string, offset: number, length: number): Promise<Uint8Array | undefined>;
  /** Names in a folder, sorted, or `undefined` when the path does not exist. @throws ENOTDIR when the path is not a folder */
  list(path: string): Promise<readonly string[] | undefined>;
  /** The target of a symbolic link, or `undefined` when the path does not exist. @throws EINVAL when the path is not a link */
  readLink(path: string): Promise<string | undefined>;
  /** Facts about a path, without following links, or `undefined` when it does not exist. */
  stat(path: string): Promise<FileFacts | undefined>;
  /** Size and free space of the file system that holds the path (statvfs(3)). Starts no process, so that it can be called often. */
  space(path: string): Promise<Space>;
  /** Replaces a whole file durably: written beside it, synced, renamed, folder synced. The folder must exist. */
  writeFile(path: string, content: string | Uint8Array, attributes: FileAttributes): Promise<void>;
  /**
   * Writes a new file piece by piece. Not durable by itself, so that many files cost one sync and not three each. The caller writes into a
   * folder that no one reads, calls syncFileSystem (src/system/disks/sync.ts), and renames the folder into place.
   */
  writeStream(path: string, source: AsyncIterable<Uint8Array>, attributes: FileAttributes): Promise<void>;
  /** Writes to a file that exists and cannot be replaced: a /proc or /sys file, a device. Synced, except in /proc and /sys. */
  writeInPlace(path: string, content: string | Uint8Array, offset?: number): Promise<void>;
  /** Makes a folder with that mode, and its parents with 0755, durably. No error when it exists. */
  makeFolder(path: string, attributes: FileAttributes): Promise<void>;
  /** Removes a file or a whole folder durably, and the remains of an interrupted `writeFile` of it. No error when it does not exist. */
  remove(path: string): Promise<void>;
  /** Renames within one file system, durably in both folders. */
  rename(from: string, to: string): Promise<void>;
  /** Sets mode and owner of an existing file or folder. @throws ELOOP for a symbolic link */
  setAttributes(path: string, attributes: FileAttributes): Promise<void>;
}

export interface FileAttributes {
  /** Permission bits, as in 0o600. */
  readonly mode: number;
  /** Numeric owner. When absent it does not change; a new file then belongs to the process, which is root on a node. */
  readonly uid?: number;
  readonly gid?: number;
}

export interface FileFacts {
  readonly kind: "file" | "folder" | "link" | "block-device" | "other";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
}

/** How full a file system is. */
export interface Space {
  /** Bytes of the whole file system, as it counts them. */
  readonly total: number;
  /** Bytes that programs may still use. */
  readonly free: number;
}

/** Called with each tool as it starts; the returned function is called with its ending. */
export type ToolObserver = (command: Command) => (ending: Ending, stderr: string) => void;

export interface HostOptions {
  readonly signal: AbortSignal;
  readonly onTool?: ToolObserver;
}

/** chown(2): "if the owner or group is specified as -1, that ID is not changed". Node takes it as an unsigned number. */
const KEEP = 0xffffffff;

/** The real machine. Without a signal, its work is never stopped early. */
export function systemHost({ signal = new AbortController().signal, onTool }: Partial<HostOptions> = {}): Host {
  return {
    signal,
    async run(command) {
      const ended = onTool?.(command);
      try {
        const completed = await runCommand(command, signal);
        ended?.({ kind: "exited", status: completed.status }, completed.stderr);
        return completed;
      } catch (error) {
        if (error instanceof CommandError) ended?.(error.ending, error.stderr);
        throw error;
      }
    },
    readText: (path) => orAbsent(naming(path, isOfKernel(path) ? readNow(path) : readFile(path, "utf8"))),
    readBytes: (path) => orAbsent(naming(path, readFile(path))),
    readAt: (path, offset, length) => orAbsent(naming(path, readAt(path, offset, length))),
    list,
    readLink: (path) => orAbsent(readlink(path)),
    stat: async (path) => {
      const facts = await orAbsent(lstat(path));
      if (facts === undefined) return undefined;
      const kind = facts.isFile()
        ? "file"
        : facts.isDirectory()
          ? "folder"
          : facts.isSymbolicLink()
            ? "link"
            : facts.isBlockDevice()
              ? "block-device"
              : "other";
      return { kind, mode: facts.mode & 0o7777, uid: facts.uid, gid: facts.gid, size: facts.size };
    },
    async space(path) {
      const { bsize, blocks, bavail } = await statfs(path);
      return { total: blocks * bsize, free: bavail * bsize };
    },
    writeFile: (path, content, attributes) => naming(path, replaceFile(path, content, attributes)),
    writeStream: (path, source, attributes) => naming(path, writeStream(path, source, attributes)),
    writeInPlace: (path, content, offset) => naming(path, writeInPlace(path, content, offset)),
    makeFolder,
    async remove(path) {
      // First the remains of a replacement that a power cut left: nothing of the removed path may stay.
      const half = temporaryFor(path);
      const isHalf = (await orAbsent(lstat(half)))?.isFile() === true;
      if (isHalf) await rm(half);
      const isThere = (await orAbsent(lstat(path))) !== undefined;
      if (isThere) await rm(path, { recursive: true });
      if (isHalf || isThere) await syncFolder(dirname(path));
    },
    async rename(from, to) {
      await rename(from, to);
      await syncFolder(dirname(to));
      if (dirname(from) !== dirname(to)) await syncFolder(dirname(from));
    },
    setAttributes,
  };
}

/**
 * Where a file is written before it replaces the original. A leading dot keeps half-written files out of other programs' globs, such as
 * *.conf and *.network. The name is always the same, so the next try replaces what a power cut left. No remains pile up, because there is
 * one runner at a time.
 */
function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.new`);
}

async function replaceFile(path: string, content: string | Uint8Array, attributes: FileAttributes): Promise<void> {
  const folder = dirname(path);
  const temporary = temporaryFor(path);
  const replaced = await heldOpen(path);
  try {
    await rm(temporary, { force: true });
    const file = await open(temporary, "wx", attributes.mode & 0o600);
    try {
      // -1 leaves an owner as it is (chown(2)).
      await file.chown(attributes.uid ?? KEEP, attributes.gid ?? KEEP);
      await file.chmod(attributes.mode);
      await file.writeFile(content);
      await file.sync();
      await rename(temporary, path);
      // On VFAT the directory entry belongs to the file. The folder's sync alone leaves the old entry on the disk (test/vm/grubenv-crash).
      if (replaced !== undefined) await file.sync();
    } finally {
      await file.close();
    }
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

async function writeStream(path: string, source: AsyncIterable<Uint8Array>, attributes: FileAttributes): Promise<void> {
  // "wx" follows no link and refuses an existing file.
  const file = await open(path, "wx", attributes.mode & 0o600);
  try {
    await file.chown(attributes.uid ?? KEEP, attributes.gid ?? KEEP);
    await file.chmod(attributes.mode);
    for await (const chunk of source) await file.writeFile(chunk);
  } finally {
    await file.close();
  }
}

async function writeInPlace(path: string, content: string | Uint8Array, offset = 0): Promise<void> {
  // Write-only: sysfs refuses to open a write-only file, such as a bus's `rescan`, for reading.
  const file = await open(path, constants.O_WRONLY);
  try {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
      done += bytesWritten;
    }
    // /proc and /sys take effect with the write itself and have no fsync.
    if (!/^\/(proc|sys)\//.test(path)) await file.sync();
  } finally {
    await file.close();
  }
}

async function makeFolder(path: string, attributes: FileAttributes): Promise<void> {
  const parent = dirname(path);
  if ((await orAbsent(stat(path)))?.isDirectory() === true) return;
  if (parent !== path) await makeFolder(parent, { mode: 0o755 });
  // Another process may have made it meanwhile, with a mode of its own. EEXIST remains for a path that is not a folder.
  const made = await mkdir(path, { recursive: true, mode: attributes.mode });
  if (made !== undefined) await setAttributes(path, attributes);
  await syncFolder(parent);
}

async function setAttributes(path: string, attributes: FileAttributes): Promise<void> {
  // ELOOP for a link: its target is not ours to give away. Non-blocking, so that a pipe without a writer does not hang the boot.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    await file.chown(attributes.uid ?? KEEP, attributes.gid ?? KEEP);
    await file.chmod(attributes.mode);
  } finally {
    await file.close();
  }
}

/** The kernel answers these reads from memory. A read in another thread would only add the cost of the thread switch. */
function isOfKernel(path: string): boolean {
  return path.startsWith("/sys/") || path.startsWith("/proc/");
}

async function readNow(path: string): Promise<string> {
  return readFileSync(path, "utf8");
}

/** A file where a folder was expected is not the same as a missing path: that error is thrown. */
async function list(path: string): Promise<readonly string[] | undefined> {
  try {
    return (await readdir(path)).toSorted();
  } catch (error) {
    if ((await orAbsent(stat(path))) === undefined) return undefined;
    throw error;
  }
}

/** Makes names in a folder durable. A rename is only in memory until then (fsync(2)). */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function readAt(path: string, offset: number, length: number): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const buffer = Buffer.alloc(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await file.read(buffer, done, length - done, offset + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return buffer.subarray(0, done);
  } finally {
    await file.close();
  }
}

/**
 * `undefined` only for a path that does not exist; every other error is thrown. ENOTDIR also means that: a file is in the place of a parent
 * folder, so nothing can lie below it.
 */
async function orAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
    throw error;
  }
}

/** Adds the path to errors of open files, which do not name it: "ENOSPC: no space left on device, write" does not help the operator. */
async function naming<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && "syscall" in error) Object.assign(error, { path });
    throw error;
  }
}
