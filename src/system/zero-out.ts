import { CommandError } from "./command.ts";
import type { Host } from "./host.ts";

/**
 * Makes a range of a partition read as zeros without sending zeros to it: BLKZEROOUT, by blkdiscard(8), or for a file that
 * stands for a partition FALLOC_FL_ZERO_RANGE, by fallocate(1). A plain discard promises no zeros.
 *
 * @param kind what is at the path
 * @param offset in bytes, and the length: multiples of 4096
 * @returns false where this device or file system cannot do it: then zeros have to be written
 */
export async function zeroOut(host: Host, path: string, kind: "block-device" | "file", offset: number, length: number): Promise<boolean> {
  try {
    const range = ["--offset", String(offset), "--length", String(length), "--", path];
    await host.run(
      kind === "block-device"
        ? { program: "blkdiscard", args: ["--zeroout", ...range] }
        : { program: "fallocate", args: ["--zero-range", "--keep-size", ...range] },
    );
    return true;
  } catch (error) {
    host.signal.throwIfAborted();
    // Whatever the reason, writing zeros either works too or says better what is wrong.
    if (error instanceof CommandError) return false;
    throw error;
  }
}
