import { RecordedProblem } from "../../base/problem-shape.ts";
import * as z from "../../base/schema.ts";
import type { Host } from "../../system/host.ts";
import { readStateStrictly } from "./state-file.ts";

const Texts = z.array(z.string());

/** One unit that is inspected while the node runs. */
export const WatchedUnit = z.object({
  name: z.string(),
  /** Missing and not repaired: the descriptions of the actions that would repair it. Empty when all is well. */
  drift: Texts,
  /** Why it could not be repaired, or not even inspected; absent when all is well. */
  problem: z.exactOptional(RecordedProblem),
  /** How often something was missing and was restored, since the monitor started. */
  repairs: z.number(),
  /** How often a repair failed and was tried again, since the monitor started. */
  retries: z.number(),
  /** When it was last inspected. Absent before the first inspection. */
  inspectedAt: z.exactOptional(z.number()),
  /** When it was last repaired. Absent when there was nothing to repair. */
  repairedAt: z.exactOptional(z.number()),
});
export type WatchedUnit = z.infer<typeof WatchedUnit>;

/** The monitor's view of the node at its last inspection, for `status`, `doctor` and the metrics. Times are seconds since the epoch. */
export const MonitorState = z.object({
  version: z.literal(1),
  /** Of the monitor's process. */
  pid: z.number(),
  /** When it started. */
  since: z.number(),
  /** When this was written. */
  time: z.number(),
  /** In chain order. */
  units: z.array(WatchedUnit),
});
export type MonitorState = z.infer<typeof MonitorState>;

/** The monitor's last state; `undefined` when there is none. @throws ProblemError for content that the monitor cannot have written */
export async function readMonitorState(host: Host, file: string): Promise<MonitorState | undefined> {
  return readStateStrictly(host, file, MonitorState, {
    code: "monitor-state-damaged",
    what: "the state of the monitor is damaged",
    todo: "systemctl restart guestos-monitor.service",
  });
}
