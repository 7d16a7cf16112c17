import { CommandError } from "../command.ts";
import type { Host } from "../host.ts";

/** A part of a partition, in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** Milliseconds beyond those for the bytes: a device without the command is sent zeros, and may be slow. */
const SLACK = 30_000;
const SLOWEST_BYTES_PER_MILLISECOND = 10_000;

/**
 * Makes ranges of a partition read as zeros without sending zeros to it: BLKZEROOUT, by blkdiscard(8). For a file in place of a partition:
 * FALLOC_FL_ZERO_RANGE, by fallocate(1). A plain discard does not guarantee zeros. Both tools take one range per call. xargs(1) starts
 * them, because starting a process from here costs several times as much.
 *
 * @param kind the kind of file at the path
 * @param ranges multiples of 4096
 * @returns false where this device or file system does not support it: then the caller has to write zeros
 */
export async function zeroOut(host: Host, path: string, kind: "block-device" | "file", ranges: readonly ByteRange[]): Promise<boolean> {
  const bytes = ranges.reduce((sum, { length }) => sum + length, 0);
  try {
    await host.run({
      program: "xargs",
      args: [
        "--max-lines=1",
        ...(kind === "block-device" ? ["blkdiscard", "--zeroout"] : ["fallocate", "--zero-range", "--keep-size"]),
        path,
      ],
      input: ranges.map(({ offset, length }) => `--offset ${offset} --length ${length}\n`).join(""),
      timeout: SLACK + bytes / SLOWEST_BYTES_PER_MILLISECOND,
    });
    return true;
  } catch (error) {
    host.signal.throwIfAborted();
    // Whatever the reason, writing zeros either works or gives a better error.
    if (error instanceof CommandError) return false;
    throw error;
  }
}
