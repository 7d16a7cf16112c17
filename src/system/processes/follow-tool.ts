import { pause, systemClock } from "../../base/clock.ts";
import { CommandError, runTool } from "../command.ts";

/** Milliseconds before a tool that ended is started again; doubled as long as it keeps ending early. */
const FIRST_BACKOFF = 1_000;
const LONGEST_BACKOFF = 60_000;
/** Milliseconds after which a tool counts as started successfully. */
const LASTED = 60_000;
/** Milliseconds that a tool may take to begin to listen. */
const LISTENING = 1_000;

/**
 * Runs a tool that reports changes without end, such as `ip monitor`, and calls `changed` whenever it writes. Its output is not kept. It is
 * started again when it ends. A call shortly after each start covers the changes from before it listened.
 *
 * Not through the host: that runs tools with a time limit.
 *
 * @returns when the signal is aborted and the tool has ended
 */
export async function followTool(program: string, args: readonly string[], signal: AbortSignal, changed: () => void): Promise<void> {
  let backoff = FIRST_BACKOFF;
  while (!signal.aborted) {
    const began = systemClock.now();
    const listening = setTimeout(changed, LISTENING);
    // A missing tool ends too. Then only the inspections at intervals notice changes.
    await runTool({ program, args }, signal, { timeout: undefined, wrote: changed, stderr: "ignore" }).catch(ended);
    clearTimeout(listening);
    backoff = (systemClock.now() - began) * 1000 > LASTED ? FIRST_BACKOFF : Math.min(backoff * 2, LONGEST_BACKOFF);
    await pause(systemClock, backoff, signal);
  }
}

function ended(error: unknown): void {
  if (!(error instanceof CommandError)) throw error;
}
