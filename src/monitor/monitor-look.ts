import { CommandError } from "../system/command.ts";
import { type Problem, ProblemError } from "../base/problem.ts";
import { planUnits } from "../boot/planner.ts";
import type { UnitResult } from "../boot/record/record.ts";
import { type RunOptions, runUnits } from "../boot/runner.ts";
import { isConflict, type Unit } from "../boot/unit.ts";

/** What the monitor saw at one unit, and did. */
export interface Look {
  readonly name: string;
  /**
   * `drift`: something is missing, and only a run may mend it. `blocked`: it cannot be mended, or not be looked at, until
   * something else changes. `failed`: mending it, or looking at it, did not succeed, and may at another time by itself.
   */
  readonly kind: "fine" | "mended" | "drift" | "blocked" | "failed";
  /** Descriptions of what was done. */
  readonly done: readonly string[];
  /** Descriptions of what is missing. */
  readonly drift: readonly string[];
  readonly problem?: Problem;
  readonly retries: number;
  /** Seconds until it is to be looked at again, where the unit says so. */
  readonly again?: number;
}

/**
 * Looks at units one by one, each without those that it requires: what they bring about is looked at for itself. Mends
 * what is missing where the unit allows that.
 *
 * @param options their sink hears of the units that may be mended, and of nothing else
 */
export async function lookAt<M>(units: readonly Unit<M>[], options: RunOptions<M>): Promise<readonly Look[]> {
  const looks: Look[] = [];
  for (const unit of units) {
    if (options.signal.aborted) break;
    looks.push(await (unit.mends ? mend(unit, options) : inspect(unit, options)));
  }
  return looks;
}

/** Milliseconds. */
const SHORT_PATIENCE = 2_000;

const nothing = { done: [], drift: [], retries: 0 };

/** The unit, and whether what kept it from being looked at, if anything did, stays until something else changes. */
function watchedPlan<M>(unit: Unit<M>): { readonly plan: Unit<M>["plan"]; readonly stays: () => boolean } {
  let stays = false;
  const plan: Unit<M>["plan"] = async (machine) => {
    stays = false;
    try {
      const planned = await unit.plan(machine);
      stays = isConflict(planned);
      return planned;
    } catch (error) {
      // A unit's own words stay true. That a tool failed, or the kernel, or that time was up, need not.
      stays = error instanceof ProblemError && !error.retryable && !(error instanceof CommandError);
      throw error;
    }
  };
  return { plan, stays: () => stays };
}

async function inspect<M>(unit: Unit<M>, options: RunOptions<M>): Promise<Look> {
  const { name } = unit;
  const { plan, stays } = watchedPlan(unit);
  const forecast = (await planUnits([{ ...unit, plan, retryFor: 0 }], { ...options, sink: () => undefined })).get(name);
  switch (forecast?.kind) {
    case "to-do":
      return { ...nothing, name, kind: "drift", drift: forecast.actions.map(({ description }) => description) };
    case "problem":
      return { ...nothing, name, kind: stays() ? "blocked" : "failed", problem: forecast.problem };
    default:
      return { ...nothing, name, kind: "fine" };
  }
}

async function mend<M>(unit: Unit<M>, options: RunOptions<M>): Promise<Look> {
  const { name } = unit;
  const begun = new Map<number, string>();
  const done: string[] = [];
  let retries = 0;
  let again: number | undefined;
  const { plan, stays } = watchedPlan(unit);
  const watched: Unit<M> = {
    ...unit,
    // Longer patience is the monitor's own: it comes back, and does not keep others from the lock meanwhile.
    retryFor: Math.min(unit.retryFor, SHORT_PATIENCE),
    plan: async (machine) => {
      again ??= await unit.lookEvery?.(machine);
      return await plan(machine);
    },
  };
  const { results } = await runUnits([watched], {
    ...options,
    sink: (event) => {
      options.sink(event);
      if (event.event === "started" && event.what.kind === "retry") retries += 1;
      if (event.event === "started" && event.what.kind === "action") begun.set(event.span, event.what.description);
      const ended = event.event === "ended" && event.outcome.kind === "done" ? begun.get(event.span) : undefined;
      if (ended !== undefined) done.push(ended);
    },
  });
  const result: UnitResult = results.get(name) ?? { kind: "skipped", because: [] };
  const more = again === undefined ? {} : { again };
  const drift = [...begun.values()].filter((description) => !done.includes(description));
  switch (result.kind) {
    case "changed":
    case "unchanged":
      return { ...nothing, ...more, name, kind: done.length > 0 ? "mended" : "fine", done, retries };
    case "degraded":
    case "failed":
      return {
        ...nothing,
        ...more,
        name,
        kind: begun.size > 0 || !stays() ? "failed" : "blocked",
        done,
        drift,
        problem: result.problem,
        retries,
      };
    case "skipped":
      return { ...nothing, ...more, name, kind: "fine" };
  }
}
