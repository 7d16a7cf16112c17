import { closeSync, constants, openSync } from "node:fs";
import { NonBlockingWriter } from "./non-blocking-writer.ts";

export interface SystemConsole {
  readonly print: (line: string) => void;
  /** Waits until all is written, at most that many milliseconds. */
  readonly flush: (within: number) => Promise<void>;
}

/**
 * Opens the machine's console, or returns `undefined` where it has none: a node without a console boots too.
 *
 * Lines look as journald would forward them: seconds since the kernel's start, program and process.
 *
 * @param now seconds of CLOCK_MONOTONIC
 */
export function openSystemConsole(path: string, program: string, now: () => number): SystemConsole | undefined {
  const writer = writerTo(path);
  if (writer === undefined) return undefined;
  return {
    print: (line) => writer.write(Buffer.from(`[${now().toFixed(6).padStart(12)}] ${program}[${process.pid}]: ${line}\n`)),
    flush: async (within) => writer.flush(within),
  };
}

/** A terminal that pages are drawn on. */
export interface Screen {
  readonly path: string;
  readonly write: (text: string) => void;
  /** Whether what was written last is lost: a login prompt that starts on a line hangs it up. The next write opens it again. */
  readonly isLost: () => boolean;
}

/** Opens the terminal when it is first written to, and again whenever it was lost. */
export function screenAt(path: string): Screen {
  let writer: NonBlockingWriter | undefined;
  let isLost = false;
  return {
    path,
    isLost: () => isLost,
    write(text) {
      if (writer === undefined || isLost)
        writer = writerTo(path, () => {
          isLost = true;
        });
      isLost = writer === undefined;
      writer?.write(Buffer.from(text));
    },
  };
}

function writerTo(path: string, failed: () => void = () => undefined): NonBlockingWriter | undefined {
  try {
    // Non-blocking: opening a serial line may wait for a carrier, and writing to a stopped terminal blocks. Never as our controlling
    // terminal.
    const descriptor = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    return new NonBlockingWriter(descriptor, () => {
      closeSync(descriptor);
      failed();
    });
  } catch {
    return undefined;
  }
}
