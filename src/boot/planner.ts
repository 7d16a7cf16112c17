import type { Problem } from "../base/problem.ts";
import { changedUnits } from "./graph.ts";
import { type RunOptions, runUnits } from "./runner.ts";
import { type Action, conflict, isConflict, type Unit } from "./unit.ts";

/** What a run would find at a unit, and do. */
export type UnitForecast =
  | { readonly kind: "nothing" }
  | { readonly kind: "to-do"; readonly actions: readonly Pick<Action, "description" | "effect">[] }
  /** Something is in the way, or could not be looked at. */
  | { readonly kind: "problem"; readonly problem: Problem; readonly partial?: true }
  /** What it will find depends on what these do first. */
  | { readonly kind: "later"; readonly once: readonly string[] }
  /** It would be skipped: these have a problem, or need one that has. */
  | { readonly kind: "blocked"; readonly because: readonly string[] }
  /** The planning was stopped before its turn came. */
  | { readonly kind: "stopped" };

/**
 * Looks at everything that a run would look at, and touches nothing.
 *
 * It is a run: the same scheduler, timeouts and retries, of units that end in a conflict where they would act. So
 * nothing that requires such a unit is looked at, because what it would find is not there yet.
 *
 * @returns a forecast for each unit, in the order given
 */
export async function planUnits<M>(units: readonly Unit<M>[], options: RunOptions<M>): Promise<ReadonlyMap<string, UnitForecast>> {
  const found = new Map<string, readonly Action[]>();
  const lookers = changedUnits(units, (unit) => ({
    ...unit,
    plan: async (machine) => {
      const plan = await unit.plan(machine);
      if (isConflict(plan) || plan.length === 0) return plan;
      found.set(unit.name, plan);
      return conflict({ code: "something-to-do", what: "there is something to do" });
    },
  }));
  // Nothing is changed, so nothing has to be noted; and what an earlier run has left is for a run to tell.
  const { mark: _, ...rest } = options;
  const { results } = await runUnits(lookers, rest);
  const forecasts = new Map<string, UnitForecast>();
  const forecast = (name: string): UnitForecast => {
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
  const known = (name: string): UnitForecast => {
    const made = forecasts.get(name) ?? forecast(name);
    forecasts.set(name, made);
    return made;
  };
  return new Map(units.map(({ name }) => [name, known(name)]));
}
