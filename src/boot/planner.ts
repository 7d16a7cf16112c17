import type { Problem } from "../base/problem.ts";
import { changedUnits } from "./graph.ts";
import { type RunOptions, runUnits } from "./runner.ts";
import { type Action, conflict, isConflict, type Unit } from "./unit.ts";

/** What a run would find at a unit, and what it would do. */
export type UnitPreview =
  | { readonly kind: "nothing" }
  | { readonly kind: "to-do"; readonly actions: readonly Pick<Action, "description" | "effect">[] }
  /** A conflict, or the unit could not be inspected. */
  | { readonly kind: "problem"; readonly problem: Problem; readonly partial?: true }
  /** What the unit finds depends on what these units do first. */
  | { readonly kind: "later"; readonly once: readonly string[] }
  /** The run would skip it: these units have a problem, or require a unit that has one. */
  | { readonly kind: "blocked"; readonly because: readonly string[] }
  /** The planning was stopped before the unit's turn. */
  | { readonly kind: "stopped" };

/**
 * Inspects everything that a run would inspect, and changes nothing.
 *
 * It is a run with the same scheduler, timeouts and retries, but each unit ends in a conflict where it would act. Units that require such a
 * unit are not inspected, because the state that they would find does not exist yet.
 *
 * @returns a preview for each unit, in the order given
 */
export async function planUnits<M>(units: readonly Unit<M>[], options: RunOptions<M>): Promise<ReadonlyMap<string, UnitPreview>> {
  const found = new Map<string, readonly Action[]>();
  const inspectors = changedUnits(units, (unit) => ({
    ...unit,
    plan: async (machine) => {
      const plan = await unit.plan(machine);
      if (isConflict(plan) || plan.length === 0) return plan;
      found.set(unit.name, plan);
      return conflict({ code: "something-to-do", what: "there is something to do" });
    },
  }));
  // Planning changes nothing, so it needs no mark. Reporting an earlier, interrupted run is left to the next real run.
  const { mark: _, ...rest } = options;
  const { results } = await runUnits(inspectors, rest);
  const previews = new Map<string, UnitPreview>();
  const preview = (name: string): UnitPreview => {
    const result = results.get(name);
    const actions = found.get(name);
    if (actions !== undefined) return { kind: "to-do", actions: actions.map(({ description, effect }) => ({ description, effect })) };
    switch (result?.kind) {
      case undefined:
        return { kind: "stopped" };
      case "unchanged":
      case "changed":
        return { kind: "nothing" };
      case "degraded":
        return { kind: "problem", problem: result.problem, ...(result.partial === undefined ? {} : { partial: true }) };
      case "failed":
        return { kind: "problem", problem: result.problem };
      case "skipped": {
        if (result.because.length === 0) return { kind: "stopped" };
        const causes = result.because.map((cause) => ({ cause, kind: known(cause).kind }));
        const lost = causes.filter(({ kind }) => kind === "problem" || kind === "blocked").map(({ cause }) => cause);
        return lost.length > 0 ? { kind: "blocked", because: lost } : { kind: "later", once: result.because };
      }
    }
  };
  const known = (name: string): UnitPreview => {
    const made = previews.get(name) ?? preview(name);
    previews.set(name, made);
    return made;
  };
  return new Map(units.map(({ name }) => [name, known(name)]));
}
