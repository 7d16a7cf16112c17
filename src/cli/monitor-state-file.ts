import type { MonitorState } from "../boot/monitor-state.ts";
import { parseMonitorState } from "../boot/read-monitor-state.ts";
import type { Layout } from "../config/layout.ts";
import type { Host } from "../system/host.ts";
import { paths } from "./paths.ts";

/** What the monitor last said; `undefined` when none runs. @throws ProblemError when that is damaged */
export async function readMonitorState(host: Host, layout: Layout): Promise<MonitorState | undefined> {
  const file = paths(layout).monitor;
  const text = await host.readText(file);
  return text === undefined ? undefined : parseMonitorState(text, file);
}
