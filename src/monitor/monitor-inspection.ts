import { CommandError } from "../system/command.ts";
import { ProblemError } from "../base/problem.ts";
import { Problem } from "../base/problem-shape.ts";
import * as z from "../base/schema.ts";
import { planUnits } from "../boot/planner.ts";
import type { UnitResult } from "../boot/record/record.ts";
import { type RunOptions, runUnits } from "../boot/runner.ts";
import { isConflict, type Unit } from "../boot/unit.ts";

/** The result of the monitor's inspection of one unit. */
export const Inspection = z.object({
  name: z.string(),
  /**
   * `drift`: something is missing, and only a run may repair it. `blocked`: repair or inspection is impossible until something else
   * changes. `failed`: repair or inspection did not succeed, and may succeed later without any change.
   */
  kind: z.enum(["fine", "repaired", "drift", "blocked", "failed"]),
  /** Descriptions of the actions that were done. */
  done: z.array(z.string()),
  /** Descriptions of what is missing. */
  drift: z.array(z.string()),
  problem: z.exactOptional(Problem),
  retries: z.int().check(z.minimum(0)),
  /** Seconds, where the unit sets them. */
  again: z.exactOptional(z.number().check(z.minimum(0))).check(z.describe("until it is to be inspected again")),
});
export type Inspection = z.infer<typeof Inspection>;

/**
 * Inspects units one at a time, each without its requirements, which have inspections of their own. Repairs what is missing where the unit
 * allows it.
 *
 * @param options their sink receives the events of the units that may be repaired, and no others
 */
export async function inspectAll<M>(units: readonly Unit<M>[], options: RunOptions<M>): Promise<readonly Inspection[]> {
  const inspections: Inspection[] = [];
  for (const unit of units) {
    if (options.signal.aborted) break;
    inspections.push(await (unit.repairs ? repair(unit, options) : inspect(unit, options)));
  }
  return inspections;
}

/** Milliseconds. */
const SHORT_PATIENCE = 2_000;

const nothing = { done: [], drift: [], retries: 0 };

/** Wraps the unit's plan. `stays` says whether the obstacle to the inspection, if any, lasts until something else changes. */
function watchedPlan<M>(unit: Unit<M>): { readonly plan: Unit<M>["plan"]; readonly stays: () => boolean } {
  let stays = false;
  const plan: Unit<M>["plan"] = async (machine) => {
    stays = false;
    try {
      const planned = await unit.plan(machine);
      stays = isConflict(planned);
      return planned;
    } catch (error) {
      // A problem that the unit itself states lasts. A failed tool, a kernel error or a timeout may pass.
      stays = error instanceof ProblemError && !error.retryable && !(error instanceof CommandError);
      throw error;
    }
  };
  return { plan, stays: () => stays };
}

async function inspect<M>(unit: Unit<M>, options: RunOptions<M>): Promise<Inspection> {
  const { name } = unit;
  const { plan, stays } = watchedPlan(unit);
  const preview = (await planUnits([{ ...unit, plan, retryFor: 0 }], { ...options, sink: () => undefined })).get(name);
  switch (preview?.kind) {
    case "to-do":
      return { ...nothing, name, kind: "drift", drift: preview.actions.map(({ description }) => description) };
    case "problem":
      return { ...nothing, name, kind: stays() ? "blocked" : "failed", problem: preview.problem };
    default:
      return { ...nothing, name, kind: "fine" };
  }
}

async function repair<M>(unit: Unit<M>, options: RunOptions<M>): Promise<Inspection> {
  const { name } = unit;
  const initialState = new Map<number, string>();
  const done: string[] = [];
  let retries = 0;
  let again: number | undefined;
  const { plan, stays } = watchedPlan(unit);
  const watched: Unit<M> = {
    ...unit,
    // The monitor itself retries later, and does not keep the lock from others meanwhile.
    retryFor: Math.min(unit.retryFor, SHORT_PATIENCE),
    plan: async (machine) => {
      again ??= await unit.inspectEvery?.(machine);
      return await plan(machine);
    },
  };
  const { results } = await runUnits([watched], {
    ...options,
    sink: (event) => {
      options.sink(event);
      if (event.event === "started" && event.what.kind === "retry") retries += 1;
      if (event.event === "started" && event.what.kind === "action") initialState.set(event.span, event.what.description);
      const ended = event.event === "ended" && event.outcome.kind === "done" ? initialState.get(event.span) : undefined;
      if (ended !== undefined) done.push(ended);
    },
  });
  const result: UnitResult = results.get(name) ?? { kind: "skipped", because: [] };
  const more = again === undefined ? {} : { again };
  const drift = [...initialState.values()].filter((description) => !done.includes(description));
  switch (result.kind) {
    case "changed":
    case "unchanged":
      return { ...nothing, ...more, name, kind: done.length > 0 ? "repaired" : "fine", done, retries };
    case "degraded":
    case "failed":
      return {
        ...nothing,
        ...more,
        name,
        kind: initialState.size > 0 || !stays() ? "failed" : "blocked",
        done,
        drift,
        problem: result.problem,
        retries,
      };
    case "skipped":
      return { ...nothing, ...more, name, kind: "fine" };
  }
}
