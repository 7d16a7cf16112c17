import { failureBox, speaksUtf8, TriedReader } from "./failure-box.ts";
import type { RecordEvent, Sink } from "../record/record.ts";
import {
  doneLines,
  failureLines,
  interruptionText,
  noPaint,
  noteLines,
  type Paint,
  summaryLine,
  unitLine,
  waitingLine,
  wrap,
} from "./run-text.ts";
import { RunReader, shownUnits, type UnitView } from "../record/run-view.ts";

export interface ConsoleOptions {
  readonly print: (line: string) => void;
  readonly paint?: Paint;
  /** Seconds of CLOCK_MONOTONIC. */
  readonly now: () => number;
  /** False where another program shows what the run waits for. */
  readonly showWaits?: boolean;
  /** True where the reader may not know UTF-8; by default the environment decides. */
  readonly ascii?: boolean;
}

/** Milliseconds without output after which the console says what the run waits for. */
const SHOW_WAIT_AFTER = 10_000;

/**
 * Shows a run to a person while it goes on. It prints a line for each unit as it ends. After 10 s without output, it prints what the
 * slowest unit is doing. The last line has the number of units per outcome; the failures and their remedies come before it. If the boot
 * failed, they are in a box, because then no one was watching from the beginning.
 */
export function consoleSink({ print, paint = noPaint, now, showWaits = true, ascii = !speaksUtf8(process.env) }: ConsoleOptions): Sink {
  const reader = new RunReader();
  const tried = new TriedReader();
  let timer: NodeJS.Timeout | undefined;
  const say = (lines: readonly string[]): void => {
    for (const line of lines) print(line);
    if (lines.length > 0) timer?.refresh();
  };
  return (event: RecordEvent) => {
    const unit = reader.read(event);
    tried.read(event, unit);
    if (event.event === "run-started" && showWaits) {
      timer = setInterval(() => {
        const slowest = slowestRunning(reader.run.units);
        if (slowest !== undefined) print(waitingLine(slowest, now()));
      }, SHOW_WAIT_AFTER);
      // This timer must not keep the program alive.
      timer.unref();
    }
    if (event.event === "interrupted") {
      say(wrap(`note: ${interruptionText(event.before, reader.run)}; what is missing is done now`, "", "  "));
    }
    if (event.event === "note" && unit !== undefined) say(noteLines(unit, event.text));
    if (event.event === "ended" && event.outcome.kind === "unit" && unit !== undefined && shownUnits(reader.run).includes(unit)) {
      // An operator who runs a unit by hand wants to see what changed; a boot's console has no room for it.
      say([unitLine(unit, paint), ...(reader.run.facts.stage === undefined ? doneLines(unit) : [])]);
    }
    if (event.event === "run-ended") {
      clearInterval(timer);
      const { run } = reader;
      if (event.outcome === "failed" && run.facts.stage !== undefined) {
        say(failureBox(run, (name) => tried.of(name), ascii));
      } else {
        const failures = failureLines(run.units, paint);
        say(failures.length === 0 ? [] : ["", ...failures]);
      }
      print(summaryLine(run));
    }
  };
}

/** The running unit that started first. */
export function slowestRunning(units: readonly UnitView[]): UnitView | undefined {
  return units
    .filter(({ startedAt, result }) => startedAt !== undefined && result === undefined)
    .toSorted((one, other) => (one.startedAt ?? 0) - (other.startedAt ?? 0))[0];
}
