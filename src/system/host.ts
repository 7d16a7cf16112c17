import { constants, readFileSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, readFile, readlink, rename, rm, stat, statfs, lstat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Command, type Completed, CommandError, type Ending, runCommand } from "./command.ts";

/**
 * The tools and files of the machine, as one value that is passed around.
 *
 * Each tool that a unit runs and each file that it reads or writes goes through it, so that tests can watch, refuse or interrupt each one,
 * and so that the runner can record what was run. "Not there" is `undefined`; "could not look" is thrown: never the same answer.
 *
 * Not all of the machine is tools and files. Past it goes, in src/system alone:
 *
 *   the system bus       systemd/dbus.ts, dbus-signals.ts: what services are asked and told
 *   the kernel's events  inotify, `ip monitor`, `nft monitor`: they have no end; and statfs(2), which is no file
 *   the program's own    its lock, record, journal socket, console, threads, terminal, and the processes of itself
 *   upgrade images       read from a file or a server, and written to a slot by direct I/O, in pieces that are used again
 *
 * oxlint.config.ts names the files of src/system that open something by themselves. Every process is started by command.ts all the same.
 */
export interface Host {
  /** Aborted when the unit that holds this host must end: time is up, or the program was told to stop. */
  readonly signal: AbortSignal;
  /** Runs a tool to its end. @throws CommandError */
  run(command: Command): Promise<Completed>;
  /** The file's text, or `undefined` when there is no such file. Also reads /proc and /sys. */
  readText(path: string): Promise<string | undefined>;
  /** The file's bytes, or `undefined` when there is no such file. */
  readBytes(path: string): Promise<Uint8Array | undefined>;
  /** Up to `length` bytes from `offset` of a file or block device, or `undefined` when it does not exist. */
  readAt(path: string, offset: number, length: number): Promise<Uint8Array | undefined>;
  /** Names in a folder, sorted, or `undefined` when there is nothing of that name. @throws ENOTDIR for what is there and no folder */
  list(path: string): Promise<readonly string[] | undefined>;
  /** What a symbolic link holds, or `undefined` when there is nothing of that name. @throws EINVAL for what is there and no link */
  readLink(path: string): Promise<string | undefined>;
  /** Facts about a path, links not followed, or `undefined` when there is nothing of that name. */
  stat(path: string): Promise<FileFacts | undefined>;
  /** How full the file system is that the path lies on (statvfs(3)). Costs no process, so that it can be asked often. */
  space(path: string): Promise<Space>;
  /** Replaces a file whole, durably: written beside, synced, renamed, folder synced. The folder must exist. */
  writeFile(path: string, content: string | Uint8Array, attributes: FileAttributes): Promise<void>;
  /**
   * Writes a new file piece by piece. Not durable by itself, so that many files cost one sync and not three each: the caller
   * writes a folder that nobody looks at, calls syncFileSystem (src/system/disks/sync.ts), and renames the folder into place.
   */
  writeStream(path: string, source: AsyncIterable<Uint8Array>, attributes: FileAttributes): Promise<void>;
  /** Writes to something that is there and cannot be replaced: a /proc or /sys file, a device. Synced. */
  writeInPlace(path: string, content: string | Uint8Array, offset?: number): Promise<void>;
  /** Makes a folder and its parents, with that mode (the parents 0755), durable. No error when it is there already. */
  makeFolder(path: string, attributes: FileAttributes): Promise<void>;
  /** Removes a file or a whole folder, durably, and what a `writeFile` of it that was cut off has left. No error when it is not there. */
  remove(path: string): Promise<void>;
  /** Renames within one file system, durably in both folders. */
  rename(from: string, to: string): Promise<void>;
  /** Sets mode and owner of what is there. @throws ELOOP for a symbolic link */
  setAttributes(path: string, attributes: FileAttributes): Promise<void>;
}

export interface FileAttributes {
  /** Permission bits, as in 0o600. */
  readonly mode: number;
  /** Numeric owner. When absent it is left as it is; what is new then belongs to the process, which is root on a node. */
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

/** Told of each tool as it starts; the function it returns is told how it ended. */
export interface Space {
  /** Bytes of the whole file system, as it counts them. */
  readonly total: number;
  /** Bytes that programs may still use. */
  readonly free: number;
}

export type ToolObserver = (command: Command) => (ending: Ending, stderr: string) => void;

export interface HostOptions {
  readonly signal: AbortSignal;
  readonly onTool?: ToolObserver;
}

/** chown(2): "if the owner or group is specified as -1, that ID is not changed". Node takes it as an unsigned number. */
const KEEP = 0xffffffff;

/** The real machine. Without a signal, nobody stops what is done on it. */
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
      // First what a power cut left of a replacement: whatever is removed was meant to be gone whole.
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
 * Where a file is written before it takes the place of that one. A leading dot keeps half-written files out of *.conf and *.network
 * globs of other programs. Always the same name, so that what a power cut left behind is replaced by the next try, and nothing
 * piles up: there is one runner at a time.
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
      // On VFAT the entry belongs to the file, and the folder's sync alone leaves the old one on the disk (test/vm/grubenv-crash).
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
 * The file that is about to be replaced. While somebody has it open, its blocks are not freed: on VFAT they would be before the
 * new entry is durable, and after a power cut the old entry would lead to nothing.
 *
 * @returns undefined for what is not there or no regular file
 */
async function heldOpen(path: string): Promise<FileHandle | undefined> {
  if ((await orAbsent(lstat(path)))?.isFile() !== true) return undefined;
  return orAbsent(open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
}

async function writeStream(path: string, source: AsyncIterable<Uint8Array>, attributes: FileAttributes): Promise<void> {
  // "wx" follows no link and takes no file that is there already.
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
  // For writing alone: sysfs refuses to open for reading what can only be written, such as a bus's `rescan`.
  const file = await open(path, constants.O_WRONLY);
  try {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
      done += bytesWritten;
    }
    // /proc and /sys take effect with the write itself and know no fsync.
    if (!/^\/(proc|sys)\//.test(path)) await file.sync();
  } finally {
    await file.close();
  }
}

async function makeFolder(path: string, attributes: FileAttributes): Promise<void> {
  const parent = dirname(path);
  if ((await orAbsent(stat(path)))?.isDirectory() === true) return;
  if (parent !== path) await makeFolder(parent, { mode: 0o755 });
  // Somebody else may have made it in between, with a mode of its own. EEXIST is left for what is there and no folder.
  const made = await mkdir(path, { recursive: true, mode: attributes.mode });
  if (made !== undefined) await setAttributes(path, attributes);
  await syncFolder(parent);
}

async function setAttributes(path: string, attributes: FileAttributes): Promise<void> {
  // ELOOP for a link: its target is not ours to give away. Not blocking, so that a pipe without a writer is no trap.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    await file.chown(attributes.uid ?? KEEP, attributes.gid ?? KEEP);
    await file.chmod(attributes.mode);
  } finally {
    await file.close();
  }
}

/** The kernel answers for these from memory: to wait for them in another thread would only cost the time of getting there and back. */
function isOfKernel(path: string): boolean {
  return path.startsWith("/sys/") || path.startsWith("/proc/");
}

async function readNow(path: string): Promise<string> {
  return readFileSync(path, "utf8");
}

/** A file where a folder was looked for is not the same as nothing at all: that is thrown. */
async function list(path: string): Promise<readonly string[] | undefined> {
  try {
    return (await readdir(path)).toSorted();
  } catch (error) {
    if ((await orAbsent(stat(path))) === undefined) return undefined;
    throw error;
  }
}

/** Makes names in a folder durable (a rename is only in memory until then; fsync(2)). */
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
 * `undefined` for "there is no such file" alone; every other error is thrown. ENOTDIR says so too: a file stands where a
 * folder on the way was expected, so that nothing can lie below it.
 */
async function orAbsent<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
    throw error;
  }
}

/** The errors of open files do not say which file it was: "ENOSPC: no space left on device, write" helps nobody. */
async function naming<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && "syscall" in error) Object.assign(error, { path });
    throw error;
  }
}
