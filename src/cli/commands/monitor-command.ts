import { systemClock } from "../../base/clock.ts";
import { runMonitor } from "../../monitor/monitor.ts";
import type { Report } from "../../monitor/state.ts";
import { problemText } from "../../boot/show/run-text.ts";
import { systemHost } from "../../system/host.ts";
import { interpretOnly } from "../../system/processes/free-memory.ts";
import type { WatchedMachine } from "../../units/machine.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { requireRoot } from "../../run/guards.ts";
import { inspectInOwnProcess, publishInOwnProcess } from "../../monitor/own-process.ts";
import { quickInspection } from "../../monitor/quick-inspection.ts";
import { stopOnSignals } from "../stop-on-signals.ts";
import type { Terminal } from "../../run/terminal.ts";
import type { Watched } from "../../run/watched.ts";

export interface MonitorRequest {
  /** The address at which to serve metrics; without it, none are served. */
  readonly metricsAddress?: string;
}

/**
 * Watches over the node until it is told to end. It mostly waits. An inspection is a process of its own (`monitor --once`), which loads the
 * units, takes the lock, and frees its memory when it ends. Only the few quick units, which cannot wait for a process to start, are
 * inspected in this process after an event.
 *
 * @throws ExitError when not root, or when the address is invalid
 */
export async function monitor(watched: Watched, { metricsAddress }: MonitorRequest, terminal: Terminal): Promise<ExitName> {
  requireRoot("it repairs what is missing");
  const { layout, watchers, quick } = watched;
  interpretOnly();
  const stop = stopOnSignals();
  const host = systemHost();
  // Loaded only where it is needed: HTTP takes memory.
  const endpoint =
    metricsAddress === undefined
      ? undefined
      : await import("../../monitor/metrics-endpoint.ts").then(async ({ serveMetrics }) =>
          serveMetrics(host, layout, metricsAddress, terminal),
        );
  const since = Math.round(Date.now() / 1000);
  const waiting = watchers.filter(({ yields }) => yields === true).map(({ name }) => name);
  terminal.print(`watching ${watchers.map(({ name }) => name).join(", ")}`);
  await runMonitor<WatchedMachine>({
    watchers,
    atStart: watched.atStart,
    machine: { host, layout },
    inspect: async (names, signal) => inspectInOwnProcess(names ?? { without: waiting }, since, signal),
    quick: {
      units: quick.map(({ name }) => name),
      inspect: async (called, signal) => {
        const unit = quick.find(({ name }) => name === called);
        return unit === undefined ? undefined : quickInspection(host, { unit, watched, since, signal }, terminal);
      },
      publish: publishInOwnProcess,
    },
    report: (report) => reportLines(report).forEach(terminal.print),
    clock: systemClock,
    signal: stop.signal,
  });
  await endpoint?.stop();
  // Without a monitor, its last state is out of date.
  await host.remove(layout.runFiles.monitor);
  return stop.exit();
}

/** The news as lines of the journal. */
function reportLines(report: Report): readonly string[] {
  if (report.kind === "problem") return [`${report.doing}: not done`, ...problemText(report.problem).map((line) => `  ${line}`)];
  const { name, done, drift, problem } = report.inspection;
  if (problem === undefined && drift.length === 0 && done.length === 0) return [`${name}: nothing is missing any more`];
  return [
    ...done.map((description) => `${name}: repaired: ${description}`),
    ...drift.map((description) => `${name}: missing: ${description}`),
    ...(problem === undefined ? [] : problemText(problem).map((line, index) => (index === 0 ? `${name}: ${line}` : `  ${line}`))),
  ];
}
