import { pause, systemClock } from "../../base/clock.ts";
import { CommandError, runTool } from "../command.ts";

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
 *
 * @returns when the signal is aborted and the tool has ended
 */
export async function followTool(program: string, args: readonly string[], signal: AbortSignal, changed: () => void): Promise<void> {
  let backoff = FIRST_BACKOFF;
  while (!signal.aborted) {
    const began = performance.now();
    const listening = setTimeout(changed, LISTENING);
    // A tool that is not there ends too: then the inspections at intervals are all there is.
    await runTool({ program, args }, signal, { timeout: undefined, wrote: changed, stderr: "ignore" }).catch(ended);
    clearTimeout(listening);
    backoff = performance.now() - began > LASTED ? FIRST_BACKOFF : Math.min(backoff * 2, LONGEST_BACKOFF);
    await pause(systemClock, backoff, signal);
  }
}

function ended(error: unknown): void {
  if (!(error instanceof CommandError)) throw error;
}
