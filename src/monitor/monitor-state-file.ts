import type { Inspection } from "./monitor-inspection.ts";
import { withInspections } from "./monitor-state.ts";
import { type MonitorState, parseMonitorState } from "../config/state/monitor-state.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";

/** The monitor's last state; `undefined` when there is none. @throws ProblemError when the file is damaged */
async function readMonitorState(host: Host, layout: Layout): Promise<MonitorState | undefined> {
  const file = layout.runFiles.monitor;
  const text = await host.readText(file);
  return text === undefined ? undefined : parseMonitorState(text, file);
}

/** The state of that monitor process so far. A damaged state, or that of an earlier monitor, is replaced with an empty one. */
export async function stateOf(host: Host, layout: Layout, { pid, since }: Pick<MonitorState, "pid" | "since">): Promise<MonitorState> {
  const before = await readMonitorState(host, layout).catch(() => undefined);
  if (before?.pid === pid && before.since === since) return before;
  return { version: 1, pid, since, time: since, units: [] };
}

/** Writes the state to /run, for `status` and the metrics. The caller must hold the lock. */
export async function keepInspections(host: Host, layout: Layout, before: MonitorState, inspections: readonly Inspection[]): Promise<void> {
  const state = withInspections(before, inspections, Math.round(Date.now() / 1000));
  await host.writeFile(layout.runFiles.monitor, `${JSON.stringify(state)}\n`, { mode: 0o644 });
}
