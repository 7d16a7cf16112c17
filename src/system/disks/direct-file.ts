import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { foreignWords } from "../../base/foreign-words.ts";
import type { Host } from "../host.ts";
import { ProblemError } from "../../base/problem.ts";

/** Offsets and lengths of direct I/O are multiples of the logical block: 4096 fits every device, and 512 the end of any partition. */
export const DIRECT_ALIGNMENT = 4096;
const SMALLEST_BLOCK = 512;

/**
 * A partition, or a file in its place, open for large reads and writes that bypass the page cache where possible. That saves a copy of each
 * byte, evicts nothing else from the cache, and reads return the content of the device.
 */
export interface DirectFile {
  readonly path: string;
  readonly bytes: number;
  /** False where the file system does not support it (tmpfs of older kernels, odd sizes). Then the page cache is used. */
  readonly direct: boolean;
  /** Fills the buffer from that offset. Both are aligned; the end of a partition always is. @throws ProblemError also for a short read */
  read(buffer: Buffer, offset: number): Promise<void>;
  /** Writes the whole buffer there. Not durable before `sync`. @throws ProblemError */
  write(buffer: Buffer, offset: number): Promise<void>;
  /** fsync(2): for a device, this also flushes its own cache. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** @param access "read", or "write" for both. @throws the error of open(2) when the file cannot be opened */
export async function openDirect(path: string, bytes: number, access: "read" | "write"): Promise<DirectFile> {
  const flags = access === "read" ? constants.O_RDONLY : constants.O_RDWR;
  const { handle, direct } = await openHandle(path, flags, bytes % SMALLEST_BLOCK === 0);
  const failed = (what: string, offset: number, found: string, cause?: unknown): ProblemError =>
    new ProblemError(
      {
        code: "device-io-failed",
        what: `cannot ${what} ${path} at byte ${offset}`,
        found,
        todo: "see the kernel log: dmesg | tail",
      },
      { cause },
    );
  const whole = async (what: "read" | "write", buffer: Buffer, offset: number): Promise<void> => {
    for (let done = 0; done < buffer.length;) {
      const moved = await (
        what === "read"
          ? handle.read(buffer, done, buffer.length - done, offset + done).then(({ bytesRead }) => bytesRead)
          : handle.write(buffer, done, buffer.length - done, offset + done).then(({ bytesWritten }) => bytesWritten)
      ).catch((error: unknown) => {
        throw failed(what, offset + done, foreignWords(error), error);
      });
      if (moved === 0) throw failed(what, offset + done, "the end of the device", undefined);
      done += moved;
    }
  };
  return {
    path,
    bytes,
    direct,
    read: (buffer, offset) => whole("read", buffer, offset),
    write: (buffer, offset) => whole("write", buffer, offset),
    async sync() {
      await handle.sync().catch((error: unknown) => {
        throw new ProblemError(
          {
            code: "device-sync-failed",
            what: `cannot write ${path} to the disk`,
            found: foreignWords(error),
            todo: "see the kernel log: dmesg | tail",
          },
          { cause: error },
        );
      });
    },
    close: () => handle.close(),
  };
}

async function openHandle(
  path: string,
  flags: number,
  mayBeDirect: boolean,
): Promise<{ readonly handle: FileHandle; readonly direct: boolean }> {
  try {
    if (mayBeDirect) return { handle: await open(path, flags | constants.O_DIRECT), direct: true };
  } catch (error) {
    // open(2): "EINVAL: The filesystem does not support the O_DIRECT flag."
    if (!(error instanceof Error && "code" in error && error.code === "EINVAL")) throw error;
  }
  return { handle: await open(path, flags), direct: false };
}

/** Makes the next reads of a file come from the device: POSIX_FADV_DONTNEED, by dd(1). Only needed where a DirectFile is not direct. */
export async function dropCache(host: Host, path: string): Promise<void> {
  await host.run({ program: "dd", args: [`if=${path}`, "iflag=nocache", "count=0", "status=none"] });
}
