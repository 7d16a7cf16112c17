import { isSea } from "node:sea";
import { type Completed, runTool } from "../command.ts";

/**
 * Milliseconds. What it is started for is an inspection of the node, in which each unit has its own bound; the next inspection of everything
 * is due after so long (src/monitor).
 */
const TIMEOUT = 3_600_000;
/** From SIGTERM to SIGKILL: it stops its own tools meanwhile, and waits at most 5 s for a unit that does not listen. */
const KILL_DELAY = 10_000;

/**
 * Runs this very program with other arguments, as a process of its own, and waits for its end. Its standard error is ours.
 * The memory that its work takes is gone with it.
 *
 * @param okStatuses exit statuses that are an answer
 * @param signal aborting it tells the process to stop, as SIGTERM does
 * @throws CommandError for every other ending
 */
export async function runOwnProgram(args: readonly string[], okStatuses: readonly number[], signal: AbortSignal): Promise<Completed> {
  // As one executable, the program is its own interpreter.
  const script = isSea() ? [] : [...process.execArgv, process.argv[1] ?? ""];
  const command = { program: process.execPath, args: [...script, ...args], okStatuses };
  return runTool(command, signal, { timeout: TIMEOUT, killDelay: KILL_DELAY, stderr: "inherit" });
}
