import { constants, openSync } from "node:fs";
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

function writerTo(path: string): NonBlockingWriter | undefined {
  try {
    // Non-blocking: opening a serial line may wait for a carrier, and writing to a stopped terminal blocks. Never as our controlling
    // terminal.
    return new NonBlockingWriter(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY), () => undefined);
  } catch {
    return undefined;
  }
}

/** A terminal that pages are drawn on; `undefined` where there is none. */
export interface Screen {
  readonly path: string;
  readonly write: (text: string) => void;
}

export function openScreen(path: string): Screen | undefined {
  const writer = writerTo(path);
  return writer === undefined ? undefined : { path, write: (text) => writer.write(Buffer.from(text)) };
}
