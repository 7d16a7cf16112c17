import { bootView } from "../../boot/record/boot-view.ts";
import { systemClock, utc } from "../../base/clock.ts";
import { consoleSink, slowestRunning } from "../../boot/show/console.ts";
import { parseRecord, type ReadRecord } from "../../boot/record/read-record.ts";
import type { RecordEvent, Sink } from "../../boot/record/record.ts";
import { waitingLine } from "../../boot/show/run-text.ts";
import { beats } from "../../system/files/follow-file.ts";
import { systemHost } from "../../system/host.ts";
import { ProblemError } from "../../base/problem.ts";
import { readersFolder } from "../../system/files/readers.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { ExitError } from "../../run/exit-error.ts";
import { asReader } from "../../run/guards.ts";
import { paintFor } from "../../run/paint.ts";
import type { Setup } from "../../run/setup.ts";
import { isRunning } from "../../run/boot-record.ts";
import { stopOnSignals } from "../stop-on-signals.ts";
import type { Terminal } from "../../run/terminal.ts";

/** Milliseconds between two updates of the waiting line. */
const BEAT = 1_000;
/** Seconds to wait for a boot that has not begun. */
const TIME_LIMIT = 900;

/**
 * Shows this boot while it goes on, from its beginning, and ends when the boot has ended, with the exit code of `status`.
 *
 * @throws ExitError when the record is damaged, or when this account may not read it
 */
export async function watchStatus(setup: Setup, terminal: Terminal): Promise<ExitName> {
  return asReader(async () => watch(setup, terminal));
}

async function watch({ layout }: Setup, terminal: Terminal): Promise<ExitName> {
  const host = systemHost();
  const stop = stopOnSignals();
  const file = layout.runFiles.record;
  await host.makeFolder(layout.run, readersFolder);
  let shown = 0;
  let show: Sink = () => undefined;
  let lastChange = systemClock.now();
  for await (const _ of beats(file, BEAT, stop.signal)) {
    const record = parsed((await host.readText(file)) ?? "", file);
    if (record.events.length > shown) terminal.redraw?.("");
    for (const event of record.events.slice(shown)) {
      if (event.event === "run-started") show = newRun(event, terminal);
      show(event);
      lastChange = systemClock.now();
    }
    shown = record.events.length;
    const last = record.runs.at(-1);
    if (last !== undefined && last.end === undefined) {
      if (!(await isRunning(host, last)) && parsed((await host.readText(file)) ?? "", file).events.length === shown) {
        terminal.redraw?.("");
        terminal.print(`${last.facts.stage ?? "run"}: was cut off before its end`);
        return "unfinished";
      }
      const slowest = slowestRunning(last.units);
      if (slowest !== undefined) terminal.redraw?.(waitingLine(slowest, systemClock.now()));
    } else if (last !== undefined) {
      const { outcome } = bootView(record.runs);
      return outcome === "done" ? "ok" : outcome;
    } else if (systemClock.now() - lastChange > TIME_LIMIT) {
      terminal.print("the boot has not started within 15 minutes");
      return "unfinished";
    } else {
      terminal.redraw?.(`waiting for the boot to start (${Math.floor(systemClock.now() - lastChange)} s)`);
    }
  }
  terminal.redraw?.("");
  return stop.exit();
}

function newRun({ time, run }: Extract<RecordEvent, { readonly event: "run-started" }>, terminal: Terminal): Sink {
  terminal.print(`${run.stage ?? "run"}, started ${utc(time)}, slot ${run.slot ?? "unknown"}, version ${run.version}`);
  // On a terminal, the redrawn line already says what the run waits for.
  return consoleSink({ print: terminal.print, paint: paintFor(terminal), now: systemClock.now, showWaits: terminal.redraw === undefined });
}

function parsed(text: string, file: string): ReadRecord {
  try {
    return parseRecord(text, file);
  } catch (error) {
    if (error instanceof ProblemError) throw new ExitError("recordDamaged", error.problem);
    throw error;
  }
}
