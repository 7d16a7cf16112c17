import type { Boot } from "../../analyze/boot.ts";
import type { GraphUnit } from "../../analyze/graph-svg.ts";
import { criticalNames, outcomeOf } from "../../analyze/measures.ts";
import { succeeded } from "../../boot/record/succeeded.ts";
import type { Unit } from "../../boot/unit.ts";
import { stagesOf } from "../../run/stages.ts";

/** The chain as it would run. */
export function plannedGraph<M>(ordered: readonly Unit<M>[]): readonly GraphUnit[] {
  const stageOf = stagesOf(ordered);
  return ordered.map((unit) => ({
    name: unit.name,
    title: unit.title,
    stage: stageOf(unit),
    requires: unit.requires.map(({ name }) => name),
    after: unit.after.map(({ name }) => name),
  }));
}

/**
 * The chain as it ran in a boot, from its record alone: the program may have another version by now, and only supplies titles and stages.
 * Where a unit ran more than once, its first run counts, unless only a later one succeeded.
 */
export function ranGraph<M>(chain: readonly Unit<M>[], { runs }: Boot): readonly GraphUnit[] {
  const stageOf = stagesOf(chain);
  const units = new Map<string, GraphUnit>();
  const wellDone = new Set<string>();
  for (const run of runs) {
    const critical = criticalNames(run);
    // In order of their start: a unit's predecessors have started before it.
    for (const unit of run.units) {
      const { name, requires, after = [], result } = unit;
      if (units.has(name) && (wellDone.has(name) || result === undefined || !succeeded(result))) continue;
      if (result !== undefined && succeeded(result)) wellDone.add(name);
      const known = chain.find((candidate) => candidate.name === name);
      const ran = { outcome: outcomeOf(unit), seconds: unit.end - unit.start, critical: critical.has(name) };
      const half = run.facts.stage === "late" ? "late" : "early";
      const stage = known === undefined ? half : stageOf(known);
      units.set(name, { name, title: known?.title ?? name, stage, requires, after, ran });
    }
  }
  return [...units.values()];
}
