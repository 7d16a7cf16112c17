import type { Inspection } from "./monitor-inspection.ts";
import { type MonitorState, readMonitorState, type WatchedUnit } from "../config/state/monitor-state.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";

/** The state of that monitor process so far. A damaged state, or that of an earlier monitor, is replaced with an empty one. */
export async function stateOf(host: Host, layout: Layout, { pid, since }: Pick<MonitorState, "pid" | "since">): Promise<MonitorState> {
  const before = await readMonitorState(host, layout.runFiles.monitor).catch(() => undefined);
  if (before?.pid === pid && before.since === since) return before;
  return { version: 1, pid, since, time: since, units: [] };
}

/** Writes the state to /run, for `status` and the metrics. The caller must hold the lock. */
export async function keepInspections(host: Host, layout: Layout, before: MonitorState, inspections: readonly Inspection[]): Promise<void> {
  const state = withInspections(before, inspections, Math.round(Date.now() / 1000));
  await host.writeFile(layout.runFiles.monitor, `${JSON.stringify(state)}\n`, { mode: 0o644 });
}

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
