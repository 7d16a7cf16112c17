import { ProblemError } from "../base/problem.ts";
import { exitCodes } from "../run/exit-codes.ts";
import { CommandError, endingText } from "../system/command.ts";
import { runOwnProgram } from "../system/processes/self-exec.ts";
import type { Inspection } from "./monitor-inspection.ts";

/** Seconds that an inspection waits for a run or an operator's command; then it is put off. */
const TIME_LIMIT = 60;

/** Inspects units in a process of its own, which loads them, takes the lock, and frees its memory when it ends. */
export async function inspectInOwnProcess(
  which: readonly string[] | { readonly without: readonly string[] },
  since: number,
  signal: AbortSignal,
): Promise<readonly Inspection[]> {
  const units = "without" in which ? which.without.flatMap((name) => ["--without", name]) : which.flatMap((name) => ["--unit", name]);
  return inspectionsIn(await ownProcess(["--json", "--since", String(since), ...units], signal));
}

/** @returns its standard output */
async function ownProcess(more: readonly string[], signal: AbortSignal): Promise<string> {
  const answers = [exitCodes.ok.code, exitCodes.degraded.code];
  try {
    return (await runOwnProgram(["monitor", "--once", "--wait", String(TIME_LIMIT), ...more], answers, signal)).stdout;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new ProblemError(
      {
        code: "inspection-not-finished",
        what: "the inspection did not finish",
        found: endingText(error.ending),
        todo: "see the lines before this one",
      },
      { cause: error },
    );
  }
}

function inspectionsIn(json: string): readonly Inspection[] {
  const document: unknown = JSON.parse(json);
  if (hasInspections(document)) return document.inspections;
  throw new ProblemError({
    code: "inspection-not-readable",
    what: "the inspection printed no result",
    found: JSON.stringify(json.slice(0, 100)),
  });
}

/** This same program wrote it, so the check goes no deeper. */
function hasInspections(document: unknown): document is { readonly inspections: readonly Inspection[] } {
  return typeof document === "object" && document !== null && "inspections" in document && Array.isArray(document.inspections);
}

/** Has a process of its own write the metrics again, when the lock is free. */
export async function publishInOwnProcess(signal: AbortSignal): Promise<void> {
  await ownProcess(["--refresh"], signal);
}
