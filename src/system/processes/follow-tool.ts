import { spawn } from "node:child_process";

/** Milliseconds after which a tool that ended is started again; doubled while it does not last. */
const FIRST_BACKOFF = 1_000;
const LONGEST_BACKOFF = 60_000;
/** A tool that has run for so long, in milliseconds, had started well. */
const LASTED = 60_000;
/** Milliseconds that a tool is given to begin to listen. */
const LISTENING = 1_000;

/**
 * Runs a tool that reports changes for as long as it lasts, such as `ip monitor`, and calls `changed` whenever it writes
 * something. What it writes is not kept. It is started again when it ends, and what happened before it listened is made up
 * for by a call.
 *
 * Not through the host: that runs tools to their end, within a time.
 */
export function followTool(program: string, args: readonly string[], signal: AbortSignal, changed: () => void): void {
  let backoff = FIRST_BACKOFF;
  const start = (): void => {
    if (signal.aborted) return;
    const began = performance.now();
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "ignore"],
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    });
    const listening = setTimeout(changed, LISTENING);
    const stop = (): void => void child.kill();
    signal.addEventListener("abort", stop, { once: true });
    child.stdout.on("data", changed);
    let over = false;
    const ended = (): void => {
      if (over) return;
      over = true;
      clearTimeout(listening);
      signal.removeEventListener("abort", stop);
      if (signal.aborted) return;
      backoff = performance.now() - began > LASTED ? FIRST_BACKOFF : Math.min(backoff * 2, LONGEST_BACKOFF);
      setTimeout(start, backoff).unref();
    };
    // A tool that is not there ends too: then the looks at intervals are all there is.
    child.once("error", ended);
    child.once("close", ended);
  };
  start();
}
