import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { isSea } from "node:sea";

export interface OwnRun {
  /** Exit status; `undefined` when a signal ended it. */
  readonly status: number | undefined;
  readonly stdout: string;
}

/**
 * Runs this very program with other arguments, as a process of its own, and waits for its end. Its standard error is ours.
 * The memory that its work takes is gone with it.
 *
 * @param signal aborting it tells the process to stop, as SIGTERM does
 */
export async function runOwnProgram(args: readonly string[], signal: AbortSignal): Promise<OwnRun> {
  // As one executable, the program is its own interpreter.
  const script = isSea() ? [] : [...process.execArgv, process.argv[1] ?? ""];
  const child = spawn(process.execPath, [...script, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const stop = (): void => void child.kill();
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const ended = new Promise<number | undefined>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status) => resolve(status ?? undefined));
    });
    const [status, stdout] = await Promise.all([ended, text(child.stdout)]);
    return { status, stdout };
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
