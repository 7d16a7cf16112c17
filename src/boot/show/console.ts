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
  /** False where somebody else shows what is waited for. */
  readonly tellWaits?: boolean;
  /** True where the reader may not know UTF-8; what the environment says unless told. */
  readonly ascii?: boolean;
}

/** How long nothing may be heard of a run before the console says what it waits for, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Shows a run to a person while it goes on: a line for each unit as it ends; once nothing has been said for 10 s, what the
 * slowest one is doing; and at the end how many ended in which way. Before that stands what failed and what to do about it:
 * in a box when the boot failed, because then nobody was watching from the beginning.
 */
export function consoleSink({ print, paint = noPaint, now, tellWaits = true, ascii = !speaksUtf8(process.env) }: ConsoleOptions): Sink {
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
    if (event.event === "run-started" && tellWaits) {
      timer = setInterval(() => {
        const slowest = slowestRunning(reader.run.units);
        if (slowest !== undefined) print(waitingLine(slowest, now()));
      }, PATIENCE);
      // What is waited for keeps the program alive, not the telling.
      timer.unref();
    }
    if (event.event === "interrupted") {
      say(wrap(`note: ${interruptionText(event.before, reader.run)}; what is missing is done now`, "", "  "));
    }
    if (event.event === "note" && unit !== undefined) say(noteLines(unit, event.text));
    if (event.event === "ended" && event.outcome.kind === "unit" && unit !== undefined && shownUnits(reader.run).includes(unit)) {
      // Who runs a unit by hand wants to see what changed; a boot's console has no room for it.
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

/** Of the units that run now, the one that has for longest. */
export function slowestRunning(units: readonly UnitView[]): UnitView | undefined {
  return units
    .filter(({ startedAt, result }) => startedAt !== undefined && result === undefined)
    .toSorted((one, other) => (one.startedAt ?? 0) - (other.startedAt ?? 0))[0];
}
