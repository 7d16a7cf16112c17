import type { MonitorState } from "../config/state/monitor-state.ts";
import { families, type Sample, sample } from "./families.ts";

/** The monitor's state of the units that it watches. */
export function monitorSamples({ since, time, units }: MonitorState): readonly Sample[] {
  return [
    sample(families.monitorStart, since),
    sample(families.monitorWritten, time),
    ...units.flatMap(({ name: unit, drift, problem, repairs, retries, inspectedAt, repairedAt }) => [
      sample(families.unitDrift, drift.length, { unit }),
      sample(families.unitProblem, problem !== undefined, { unit }),
      ...(problem === undefined ? [] : [sample(families.unitProblemInfo, 1, { unit, code: problem.code })]),
      sample(families.unitRepairs, repairs, { unit }),
      sample(families.unitRepairRetries, retries, { unit }),
      ...(inspectedAt === undefined ? [] : [sample(families.unitInspected, inspectedAt, { unit })]),
      ...(repairedAt === undefined ? [] : [sample(families.unitRepaired, repairedAt, { unit })]),
    ]),
  ];
}
