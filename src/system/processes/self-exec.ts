import { isSea } from "node:sea";
import { type Completed, runTool } from "../command.ts";

/**
 * Milliseconds. The program runs for an inspection of the node, in which each unit has its own limit. The next full inspection is due after
 * this time (src/monitor).
 */
const TIMEOUT = 3_600_000;
/** Milliseconds from SIGTERM to SIGKILL. Meanwhile it stops its own tools, and waits at most 5 s for a unit that does not react. */
const KILL_DELAY = 10_000;

/**
 * Runs this same program with other arguments, as a process of its own, and waits for its end. Its standard error is ours. The kernel frees
 * the memory of its work when it ends.
 *
 * @param okStatuses exit statuses that are an answer
 * @param signal aborting it tells the process to stop, as SIGTERM does
 * @throws CommandError for every other ending
 */
export async function runOwnProgram(args: readonly string[], okStatuses: readonly number[], signal: AbortSignal): Promise<Completed> {
  // As a single executable, the program is its own interpreter.
  const script = isSea() ? [] : [...process.execArgv, process.argv[1] ?? ""];
  const command = { program: process.execPath, args: [...script, ...args], okStatuses };
  return runTool(command, signal, { timeout: TIMEOUT, killDelay: KILL_DELAY, stderr: "inherit" });
}
