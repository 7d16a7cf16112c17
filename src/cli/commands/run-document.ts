import { rounded } from "../../base/clock.ts";
import { countResults } from "../../boot/record/results.ts";
import { redone, type RunView, shownUnits, type UnitView } from "../../boot/record/run-view.ts";

/**
 * A run as a document for programs: the output of `run --json`, and a part of that of `status --json`. Seconds are numbers, times ISO 8601.
 */
export function runDocument(run: RunView): object {
  const units = shownUnits(run);
  return {
    run: run.facts.stage ?? "run",
    outcome: run.end?.outcome ?? "unfinished",
    bootId: run.facts.bootId,
    version: run.facts.version,
    slot: run.facts.slot,
    time: run.time,
    seconds: run.end === undefined ? undefined : rounded(run.end.at - run.startedAt),
    counts: countResults(units),
    units: units.map(unitDocument),
    ...(run.interrupted === undefined ? {} : { interrupted: { ...run.interrupted, redone: redone(run.interrupted, run.units) } }),
  };
}

export function unitDocument({ name, prerequisite, requires, startedAt, endedAt, result, notes }: UnitView): object {
  return {
    name,
    prerequisite,
    requires,
    seconds: startedAt === undefined || endedAt === undefined ? undefined : rounded(endedAt - startedAt),
    ...(result === undefined ? { outcome: startedAt === undefined ? "not started" : "running" } : outcomeDocument(result)),
    notes,
  };
}

function outcomeDocument({ kind: outcome, ...details }: NonNullable<UnitView["result"]>): object {
  return { outcome, ...details };
}
