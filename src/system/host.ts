import { readFile, readlink, statfs } from "node:fs/promises";
import { type Command, type Completed, CommandError, runCommand } from "./command.ts";
import {
  isOfKernel,
  facts,
  list,
  makeFolder,
  naming,
  orAbsent,
  readAt,
  readKernelFile,
  remove,
  renameDurably,
  replaceFile,
  setAttributes,
  writeInPlace,
  writeStream,
  type FileAttributes,
  type FileFacts,
} from "./files/host-files.ts";

export type { FileAttributes, FileFacts };
import type * as z from "../base/schema.ts";
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
 *   a guest's request    read from the connection that systemd hands over
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
  /** The time of day, in milliseconds since 1970, as the machine's clock has it. */
  now(): number;
  /** Called before something of the machine is asked past this host; a host that stands for another machine throws. */
  readonly beyond?: (what: string) => void;
  /** Absent where nothing is recorded; see concluded.ts. */
  readonly concluded?: <T>(question: Conclusion<T>, ask: (host: Host) => Promise<T>) => Promise<T>;
}

/** What is asked: a name, and what it is asked of. With its shape, which an answer from another machine must have. */
export interface Conclusion<T> {
  readonly name: string;
  readonly args: readonly (string | number | boolean)[];
  readonly shape: z.ZodMiniType<T>;
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
    readText: (path) => orAbsent(naming(path, isOfKernel(path) ? readKernelFile(path) : readFile(path, "utf8"))),
    readBytes: (path) => orAbsent(naming(path, readFile(path))),
    readAt: (path, offset, length) => orAbsent(naming(path, readAt(path, offset, length))),
    list,
    readLink: (path) => orAbsent(readlink(path)),
    stat: facts,
    async space(path) {
      const { bsize, blocks, bavail } = await statfs(path);
      return { total: blocks * bsize, free: bavail * bsize };
    },
    writeFile: (path, content, attributes) => naming(path, replaceFile(path, content, attributes)),
    writeStream: (path, source, attributes) => naming(path, writeStream(path, source, attributes)),
    writeInPlace: (path, content, offset) => naming(path, writeInPlace(path, content, offset)),
    makeFolder,
    remove,
    rename: renameDurably,
    setAttributes,
    now: () => Date.now(),
  };
}
