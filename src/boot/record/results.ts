import type { Counts, RunOutcome, UnitFacts, UnitResult } from "./record.ts";

export function succeeded(result: UnitResult): boolean {
  return result.kind === "unchanged" || result.kind === "changed";
}

/** Whether the units that require this one can rely on it: it succeeded, or did all but a part of its work. */
export function stands(result: UnitResult): boolean {
  return succeeded(result) || (result.kind === "degraded" && result.partial === true);
}

/** A unit, and its result once it has ended. */
interface Ended extends Pick<UnitFacts, "onFailure"> {
  readonly result?: UnitResult | undefined;
}

/**
 * The outcome of several units. One that the boot cannot do without fails it. A unit that was skipped because a dispensable one failed does
 * not, unless its own `onFailure` is `stop`.
 */
export function outcomeOf(units: readonly Ended[]): Exclude<RunOutcome, "stopped"> {
  if (units.some(({ result, onFailure }) => onFailure === "stop" && (result === undefined || !stands(result)))) return "failed";
  return units.every(({ result }) => result !== undefined && succeeded(result)) ? "done" : "degraded";
}

/** The number of units per outcome. Units that have not ended do not count. */
export function countResults(units: readonly Pick<Ended, "result">[]): Counts {
  const counts = { changed: 0, unchanged: 0, degraded: 0, failed: 0, skipped: 0 };
  for (const { result } of units) if (result !== undefined) counts[result.kind] += 1;
  return counts;
}
