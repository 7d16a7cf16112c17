import type { RunOutcome, UnitResult } from "./record.ts";
import { outcomeOf, succeeded } from "./results.ts";
import type { RunView, UnitView } from "./run-view.ts";

/** The result of a boot: its runs taken together. */
export interface BootView {
  readonly runs: readonly RunView[];
  /** The merged result of each unit, in chain order. */
  readonly units: readonly UnitView[];
  /** `unfinished`: the last run has no end, because it is still running or was cut off. */
  readonly outcome: Exclude<RunOutcome, "stopped"> | "unfinished";
  /** The sum of the runs' durations in seconds; runs without an end count as 0. */
  readonly seconds: number;
}

/**
 * Merges the runs of one boot: the boot itself, and what an operator ran since.
 *
 * The latest result of a unit counts, with one exception: "unchanged" does not replace an earlier success, because
 * the first run then holds the account of what was done.
 *
 * @param runs at least one, in the order in which they ran
 */
export function bootView(runs: readonly RunView[]): BootView {
  const units = new Map<string, UnitView>();
  for (const unit of runs.flatMap((run) => run.units)) {
    const before = units.get(unit.name);
    const merged = before === undefined || replaces(unit, before) ? unit : before;
    units.set(unit.name, { ...merged, notes: [...new Set([...(before?.notes ?? []), ...unit.notes])] });
  }
  const all = [...units.values()];
  const last = runs.at(-1);
  return {
    runs,
    units: all,
    outcome: last !== undefined && last.end === undefined ? "unfinished" : outcomeOf(all),
    seconds: runs.reduce((sum, { startedAt, end }) => sum + (end === undefined ? 0 : end.at - startedAt), 0),
  };
}

function replaces(unit: UnitView, before: UnitView): boolean {
  if (unit.startedAt === undefined) return false;
  return !(isUnchanged(unit.result) && before.result !== undefined && succeeded(before.result));
}

function isUnchanged(result: UnitResult | undefined): boolean {
  return result?.kind === "unchanged" && result.activated.length === 0;
}
