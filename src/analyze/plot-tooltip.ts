import { seconds } from "./duration.ts";
import { outcomeOf } from "./measures.ts";
import { partsOf } from "./parts.ts";
import { releasedBy, type RunBars, type UnitBar } from "./timeline.ts";

/** Limits the lines: a tooltip that fills the screen is useless. */
const MOST_LINES = 14;

/** A unit in words: outcome, times, problem, and its longest parts. */
export function unitTooltip(unit: UnitBar, run: RunBars): string {
  const lines = partsOf(unit)
    .toSorted((one, other) => other.end - other.start - (one.end - one.start))
    .slice(0, MOST_LINES)
    .map(({ kind, label, start, end }) => `  ${seconds(end - start)} ${kind} ${label}`);
  const release = releasedBy(unit, run);
  return [
    `${unit.name}: ${outcomeOf(unit)}, ${seconds(unit.end - unit.start)}`,
    `from ${unit.start.toFixed(2)} s to ${unit.end.toFixed(2)} s${release === undefined ? "" : `, released by ${release.name}`}`,
    ...(unit.result !== undefined && "problem" in unit.result ? [unit.result.problem.what] : []),
    ...lines,
  ].join("\n");
}
