import type { Inspection } from "../../monitor/monitor-inspection.ts";
import type { MonitorState } from "../../config/state/monitor-state.ts";
import { problemText } from "../../boot/show/run-text.ts";
import type { Layout } from "../../config/layout/layout.ts";
import { type Host, systemHost } from "../../system/host.ts";
import type { GuestUnit } from "../../units/machine.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { requireRoot } from "../../run/guards.ts";
import { inspectUnderLock } from "../../monitor/inspect-under-lock.ts";
import { unitsWithProblem } from "../../monitor/units-with-problem.ts";
import { keepInspections, stateOf } from "../../monitor/monitor-state.ts";
import { machineFor } from "../../run/machine-for.ts";
import { lockOrExit } from "../../run/run-lock.ts";
import { runMark } from "../../run/run-mark.ts";
import { refreshMetrics } from "../../run/run-metrics.ts";
import { selectUnits } from "../../run/select-units.ts";
import type { RunRequest } from "./run-command.ts";
import type { Setup } from "../../run/setup.ts";
import { stopOnSignals } from "../stop-on-signals.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";

export interface InspectionRequest extends Omit<RunRequest, "stage"> {
  /** Names of units that are left out. */
  readonly without: readonly string[];
  /**
   * When the calling monitor started, in seconds since the epoch. Absent for an operator, whose inspection does not change the monitor's
   * state.
   */
  readonly since?: number;
}

/**
 * Inspects units once as the monitor does: repairs what may be repaired at any time, and reports what else is missing.
 *
 * @throws ExitError when no inspection was possible: not root, an unknown unit, the lock held
 */
export async function inspectOnce(setup: Setup, request: InspectionRequest, terminal: Terminal): Promise<ExitName> {
  const { layout } = setup;
  const { units, prerequisites } = selectUnits([...setup.chain, ...(await setup.maintenance())], request);
  const asked = units.filter(({ name }) => !prerequisites.has(name) && !request.without.includes(name));
  requireRoot("it may change the machine");
  const stop = stopOnSignals();
  const host = systemHost();
  // A boot has already made this folder, for its readers. The monitor's service may lack CAP_CHOWN, and then cannot set their group
  // (etc/common/systemd/system/guestos-monitor.service).
  await host.makeFolder(layout.run, { mode: 0o750 });
  const release = await lockOrExit(layout, request.wait, terminal, stop.signal);
  if (release === undefined) return stop.exit();
  const { since } = request;
  const before = since === undefined ? undefined : await stateOf(host, layout, { pid: process.ppid, since });
  const inspections = await inspectThem(host, setup, asked, before, { signal: stop.signal, terminal });
  // Also after an aborted inspection: the record has it, and the next one, which may find everything in order, must know that this is news.
  if (before !== undefined) {
    await keepInspections(host, layout, before, inspections);
    await refreshMetrics(host, layout, terminal.complain);
  }
  release();
  if (request.json) printJson(terminal, { inspections });
  else for (const inspection of inspections) for (const line of inspectionLines(inspection)) terminal.print(line);
  if (stop.signal.aborted) return stop.exit();
  return inspections.every(({ kind }) => kind === "fine" || kind === "repaired") ? "ok" : "degraded";
}

/**
 * Rewrites the metrics, for a monitor that has inspected units in its own process. The lock keeps older metrics from overwriting newer
 * ones. A signal ends this process at once, because another process waits for the lock then. That is safe: metrics are written whole or not
 * at all.
 *
 * @param wait as above
 * @throws ExitError when not root, or the lock is held
 */
export async function refreshOnce(layout: Layout, wait: number, terminal: Terminal): Promise<ExitName> {
  requireRoot("it writes the metrics");
  const { signal } = new AbortController();
  const host = systemHost({ signal });
  await lockOrExit(layout, wait, terminal, signal);
  await refreshMetrics(host, layout, terminal.complain);
  return "ok";
}

async function inspectThem(
  host: Host,
  setup: Pick<Setup, "layout" | "medium">,
  units: readonly GuestUnit[],
  before: MonitorState | undefined,
  { signal, terminal }: { readonly signal: AbortSignal; readonly terminal: Terminal },
): Promise<readonly Inspection[]> {
  const { layout } = setup;
  return inspectUnderLock(host, {
    units,
    layout,
    withProblem: await unitsWithProblem(host, layout, before?.units ?? [], units),
    machine: machineFor(setup),
    mark: runMark(host, layout, terminal.complain),
    signal,
    terminal,
  });
}

/** For people: the unit, what was done, what is missing, what is wrong. */
function inspectionLines({ name, kind, done, drift, problem }: Inspection): readonly string[] {
  return [
    `${name.padEnd(20)} ${kind}`,
    ...done.map((description) => `  did      ${description}`),
    ...drift.map((description) => `  missing  ${description}`),
    ...(problem === undefined ? [] : problemText(problem).map((line) => `  ${line}`)),
  ];
}
