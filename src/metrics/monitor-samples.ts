import type { MonitorState } from "../config/state/monitor-state.ts";
import { families, type Sample, sample } from "./families.ts";

/** The monitor's state of the units that it watches. */
export function monitorSamples({ since, time, units }: MonitorState): readonly Sample[] {
  return [
    sample(families.monitorStart, since),
    sample(families.monitorWritten, time),
    ...units.flatMap(({ name: unit, drift, problem, mends, retries, lookedAt, mendedAt }) => [
      sample(families.unitDrift, drift.length, { unit }),
      sample(families.unitProblem, problem !== undefined, { unit }),
      ...(problem === undefined ? [] : [sample(families.unitProblemInfo, 1, { unit, code: problem.code })]),
      sample(families.unitMends, mends, { unit }),
      sample(families.unitMendRetries, retries, { unit }),
      ...(lookedAt === undefined ? [] : [sample(families.unitLooked, lookedAt, { unit })]),
      ...(mendedAt === undefined ? [] : [sample(families.unitMended, mendedAt, { unit })]),
    ]),
  ];
}
