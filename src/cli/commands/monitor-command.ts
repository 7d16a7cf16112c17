import { systemClock } from "../../base/clock.ts";
import { runMonitor } from "../../monitor/monitor.ts";
import type { Inspection } from "../../monitor/monitor-inspection.ts";
import type { Report } from "../../monitor/state.ts";
import { problemText } from "../../boot/show/run-text.ts";
import { CommandError, endingText } from "../../system/command.ts";
import { systemHost } from "../../system/host.ts";
import { interpretOnly } from "../../system/processes/free-memory.ts";
import { runOwnProgram } from "../../system/processes/self-exec.ts";
import { ProblemError } from "../../base/problem.ts";
import type { WatchedMachine } from "../../units/watched-machine.ts";
import { exitCodes, type ExitName } from "../../run/exit-codes.ts";
import { requireRoot } from "../../run/guards.ts";
import { quickInspection } from "../../monitor/quick-inspection.ts";
import { stopOnSignals } from "../stop-on-signals.ts";
import type { Terminal } from "../../run/terminal.ts";
import type { Watched } from "../../run/watched.ts";

/** Seconds that an inspection waits for a run or an operator's command; then it is put off. */
const TIME_LIMIT = 60;

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
      publish: async (signal) => void (await ownProcess(["--refresh"], signal)),
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

async function inspectInOwnProcess(
  which: readonly string[] | { readonly without: readonly string[] },
  since: number,
  signal: AbortSignal,
): Promise<readonly Inspection[]> {
  const units = "without" in which ? which.without.flatMap((name) => ["--without", name]) : which.flatMap((name) => ["--unit", name]);
  return inspectsIn(await ownProcess(["--json", "--since", String(since), ...units], signal));
}

/** @returns its standard output */
async function ownProcess(more: readonly string[], signal: AbortSignal): Promise<string> {
  const answers = [exitCodes.ok.code, exitCodes.degraded.code];
  try {
    return (await runOwnProgram(["monitor", "--once", "--wait", String(TIME_LIMIT), ...more], answers, signal)).stdout;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new ProblemError(
      {
        code: "inspection-not-finished",
        what: "the inspection did not finish",
        found: endingText(error.ending),
        todo: "see the lines before this one",
      },
      { cause: error },
    );
  }
}

function inspectsIn(json: string): readonly Inspection[] {
  const document: unknown = JSON.parse(json);
  if (hasInspections(document)) return document.inspections;
  throw new ProblemError({
    code: "inspection-not-readable",
    what: "the inspection printed no result",
    found: JSON.stringify(json.slice(0, 100)),
  });
}

/** This same program wrote it, so the check goes no deeper. */
function hasInspections(document: unknown): document is { readonly inspections: readonly Inspection[] } {
  return typeof document === "object" && document !== null && "inspections" in document && Array.isArray(document.inspections);
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
