import { type RunOutcome, stands, succeeded, type UnitResult } from "./record.ts";
import type { RunView, UnitView } from "./run-view.ts";

/** How a boot went: its runs taken together. */
export interface BootView {
  readonly runs: readonly RunView[];
  /** What each unit came to, in chain order. */
  readonly units: readonly UnitView[];
  /** `unfinished`: a run has no end, because it is still running or was cut off. */
  readonly outcome: Exclude<RunOutcome, "stopped"> | "unfinished";
  /** Seconds that the runs took together. */
  readonly seconds: number;
}

/**
 * Takes the runs of one boot together: the boot itself, and what an operator ran since.
 *
 * The latest word on a unit counts, except that "unchanged" is no news about one that had succeeded before: then the
 * boot's story is what was done the first time.
 *
 * @param runs at least one, in the order in which they ran
 */
export function bootView(runs: readonly RunView[]): BootView {
  const units = new Map<string, UnitView>();
  for (const unit of runs.flatMap((run) => run.units)) {
    const before = units.get(unit.name);
    const merged = before === undefined || isNews(unit, before) ? unit : before;
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

function isNews(unit: UnitView, before: UnitView): boolean {
  if (unit.startedAt === undefined) return false;
  return !(isUnchanged(unit.result) && before.result !== undefined && succeeded(before.result));
}

function isUnchanged(result: UnitResult | undefined): boolean {
  return result?.kind === "unchanged" && result.activated.length === 0;
}

/** As the runner judges one run: what the boot cannot do without makes it fail. */
function outcomeOf(units: readonly UnitView[]): Exclude<RunOutcome, "stopped"> {
  if (units.some(({ result, onFailure }) => onFailure === "stop" && (result === undefined || !stands(result)))) return "failed";
  return units.every(({ result }) => result !== undefined && succeeded(result)) ? "done" : "degraded";
}
