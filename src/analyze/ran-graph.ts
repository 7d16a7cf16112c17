import { succeeded } from "../boot/record/results.ts";
import type { Boot } from "./boot.ts";
import type { GraphUnit } from "./graph-svg.ts";
import { criticalNames, outcomeOf } from "./measures.ts";

/**
 * The chain as it ran in a boot, from its record alone: the program may have another version by now, and only supplies titles and stages.
 * Where a unit ran more than once, its first run counts, unless only a later one succeeded.
 *
 * @param planned the chain as it would run now
 */
export function ranGraph(planned: readonly GraphUnit[], { runs }: Boot): readonly GraphUnit[] {
  const units = new Map<string, GraphUnit>();
  const wellDone = new Set<string>();
  for (const run of runs) {
    const critical = criticalNames(run);
    // In order of their start: a unit's predecessors have started before it.
    for (const unit of run.units) {
      const { name, requires, after = [], result } = unit;
      if (units.has(name) && (wellDone.has(name) || result === undefined || !succeeded(result))) continue;
      if (result !== undefined && succeeded(result)) wellDone.add(name);
      const known = planned.find((candidate) => candidate.name === name);
      const ran = { outcome: outcomeOf(unit), seconds: unit.end - unit.start, critical: critical.has(name) };
      const stage = known?.stage ?? (run.facts.stage === "late" ? "late" : "early");
      units.set(name, { name, title: known?.title ?? name, stage, requires, after, ran });
    }
  }
  return [...units.values()];
}
