import { systemClock } from "../../base/clock.ts";
import { keepWatch } from "../../monitor/monitor.ts";
import type { Look } from "../../monitor/monitor-look.ts";
import type { News } from "../../monitor/state.ts";
import { problemText } from "../../boot/show/run-text.ts";
import { CommandError, endingText } from "../../system/command.ts";
import { systemHost } from "../../system/host.ts";
import { interpretOnly } from "../../system/processes/free-memory.ts";
import { runOwnProgram } from "../../system/processes/self-exec.ts";
import { ProblemError } from "../../base/problem.ts";
import type { WatchedMachine } from "../../units/watched-machine.ts";
import { exitCodes, type ExitName } from "../../run/exit-codes.ts";
import { requireRoot } from "../../run/guards.ts";
import { quickLook } from "../../monitor/quick-look.ts";
import { stopOnSignals } from "../stop-on-signals.ts";
import type { Terminal } from "../../run/terminal.ts";
import type { Watched } from "../../run/watched.ts";

/** Seconds that an inspection waits for a run or an operator's command; then it is put off. */
const PATIENCE = 60;

export interface MonitorRequest {
  /** The address at which to serve metrics; without it, none are served. */
  readonly metricsAddress?: string;
}

/**
 * Watches over the node until it is told to end. It mostly waits. An inspection is a process of its own (`monitor
 * --once`), which loads the units, takes the lock, and frees its memory when it ends. Only the few quick units,
 * which cannot wait for a process to start, are inspected in this process after an event.
 *
 * @throws ExitError when not root, or when the address is invalid
 */
export async function monitor(watched: Watched, { metricsAddress }: MonitorRequest, terminal: Terminal): Promise<ExitName> {
  requireRoot("the monitor mends what is missing");
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
  const waiting = watchers.filter(({ makesWay }) => makesWay === true).map(({ name }) => name);
  terminal.print(`watching over ${watchers.map(({ name }) => name).join(", ")}`);
  await keepWatch<WatchedMachine>({
    watchers,
    atStart: watched.atStart,
    machine: { host, layout },
    look: async (names, signal) => lookInOwnProcess(names ?? { without: waiting }, since, signal),
    quick: {
      units: quick.map(({ name }) => name),
      look: async (called, signal) => {
        const unit = quick.find(({ name }) => name === called);
        return unit === undefined ? undefined : quickLook(host, { unit, watched, since, signal }, terminal);
      },
      tellOthers: async (signal) => void (await ownProcess(["--refresh"], signal)),
    },
    tell: (news) => newsLines(news).forEach(terminal.print),
    clock: systemClock,
    signal: stop.signal,
  });
  await endpoint?.stop();
  // Without a monitor, its last state is out of date.
  await host.remove(layout.runFiles.monitor);
  return stop.exit();
}

async function lookInOwnProcess(
  which: readonly string[] | { readonly without: readonly string[] },
  since: number,
  signal: AbortSignal,
): Promise<readonly Look[]> {
  const units = "without" in which ? which.without.flatMap((name) => ["--without", name]) : which.flatMap((name) => ["--unit", name]);
  return looksIn(await ownProcess(["--json", "--since", String(since), ...units], signal));
}

/** @returns its standard output */
async function ownProcess(more: readonly string[], signal: AbortSignal): Promise<string> {
  const answers = [exitCodes.ok.code, exitCodes.degraded.code];
  try {
    return (await runOwnProgram(["monitor", "--once", "--wait", String(PATIENCE), ...more], answers, signal)).stdout;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new ProblemError(
      {
        code: "look-not-finished",
        what: "the look did not come to its end",
        found: endingText(error.ending),
        todo: "see the lines before this one",
      },
      { cause: error },
    );
  }
}

function looksIn(json: string): readonly Look[] {
  const document: unknown = JSON.parse(json);
  if (hasLooks(document)) return document.looks;
  throw new ProblemError({
    code: "look-not-readable",
    what: "the look did not say what it saw",
    found: JSON.stringify(json.slice(0, 100)),
  });
}

/** This same program wrote it, so the check goes no deeper. */
function hasLooks(document: unknown): document is { readonly looks: readonly Look[] } {
  return typeof document === "object" && document !== null && "looks" in document && Array.isArray(document.looks);
}

/** The news as lines of the journal. */
function newsLines(news: News): readonly string[] {
  if (news.kind === "trouble") return [`${news.doing}: not done`, ...problemText(news.problem).map((line) => `  ${line}`)];
  const { name, done, drift, problem } = news.look;
  if (problem === undefined && drift.length === 0 && done.length === 0) return [`${name}: all is well again`];
  return [
    ...done.map((description) => `${name}: mended: ${description}`),
    ...drift.map((description) => `${name}: missing: ${description}`),
    ...(problem === undefined ? [] : problemText(problem).map((line, index) => (index === 0 ? `${name}: ${line}` : `  ${line}`))),
  ];
}
