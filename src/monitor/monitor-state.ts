import type { MonitorState, WatchedUnit } from "../config/state/monitor-state.ts";
import type { Look } from "./monitor-look.ts";

/** The state after these inspections; units without one stay as they are. */
export function withLooks(state: MonitorState, looks: readonly Look[], time: number): MonitorState {
  const units = new Map(state.units.map((unit) => [unit.name, unit]));
  for (const look of looks) units.set(look.name, withLook(units.get(look.name), look, time));
  return { ...state, time, units: [...units.values()] };
}

function withLook(before: WatchedUnit | undefined, { name, kind, drift, problem, retries }: Look, at: number): WatchedUnit {
  const mended = kind === "mended";
  const mendedAt = mended ? at : before?.mendedAt;
  const triedBefore = before?.problem !== undefined && before.drift.length > 0;
  return {
    name,
    drift: [...drift],
    ...(problem === undefined ? {} : { problem }),
    mends: (before?.mends ?? 0) + (mended ? 1 : 0),
    retries: (before?.retries ?? 0) + retries + (triedBefore && (mended || kind === "failed") ? 1 : 0),
    lookedAt: at,
    ...(mendedAt === undefined ? {} : { mendedAt }),
  };
}
