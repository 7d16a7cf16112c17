import type { MonitorState, WatchedUnit } from "../config/state/monitor-state.ts";
import type { Inspection } from "./monitor-inspection.ts";

/** The state after these inspections; units without one stay as they are. */
export function withInspections(state: MonitorState, inspections: readonly Inspection[], time: number): MonitorState {
  const units = new Map(state.units.map((unit) => [unit.name, unit]));
  for (const inspection of inspections) units.set(inspection.name, withInspection(units.get(inspection.name), inspection, time));
  return { ...state, time, units: [...units.values()] };
}

function withInspection(before: WatchedUnit | undefined, { name, kind, drift, problem, retries }: Inspection, at: number): WatchedUnit {
  const repaired = kind === "repaired";
  const repairedAt = repaired ? at : before?.repairedAt;
  const triedBefore = before?.problem !== undefined && before.drift.length > 0;
  return {
    name,
    drift: [...drift],
    ...(problem === undefined ? {} : { problem }),
    repairs: (before?.repairs ?? 0) + (repaired ? 1 : 0),
    retries: (before?.retries ?? 0) + retries + (triedBefore && (repaired || kind === "failed") ? 1 : 0),
    inspectedAt: at,
    ...(repairedAt === undefined ? {} : { repairedAt }),
  };
}
