import type { RecordEvent, Sink } from "./record.ts";
import { doneLines, failureLines, noPaint, noteLines, type Paint, summaryLine, unitLine, waitingLine } from "./run-text.ts";
import { RunReader, shownUnits, type UnitView } from "./run-view.ts";

export interface ConsoleOptions {
  readonly print: (line: string) => void;
  readonly paint?: Paint;
  /** Seconds of CLOCK_MONOTONIC. */
  readonly now: () => number;
}

/** How long nothing may be heard of a run before the console says what it waits for, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Shows a run to a person while it goes on: a line for each unit as it ends, every 10 s what the slowest one is doing,
 * and at the end what failed, what to do about it, and how many ended in which way.
 */
export function consoleSink({ print, paint = noPaint, now }: ConsoleOptions): Sink {
  const reader = new RunReader();
  let timer: NodeJS.Timeout | undefined;
  return (event: RecordEvent) => {
    const unit = reader.read(event);
    if (event.event === "run-started") {
      timer = setInterval(() => {
        const slowest = slowestRunning(reader.run.units);
        if (slowest !== undefined) print(waitingLine(slowest, now()));
      }, PATIENCE);
      // What is waited for keeps the program alive, not the telling.
      timer.unref();
    }
    if (event.event === "note" && unit !== undefined) for (const line of noteLines(unit, event.text)) print(line);
    if (event.event === "ended" && event.outcome.kind === "unit" && unit !== undefined && shownUnits(reader.run).includes(unit)) {
      print(unitLine(unit, paint));
      // Who runs a unit by hand wants to see what changed; a boot's console has no room for it.
      if (reader.run.facts.stage === undefined) for (const line of doneLines(unit)) print(line);
    }
    if (event.event === "run-ended") {
      clearInterval(timer);
      const failures = failureLines(reader.run.units, paint);
      for (const line of failures.length === 0 ? [] : ["", ...failures]) print(line);
      print(summaryLine(reader.run));
    }
  };
}

function slowestRunning(units: readonly UnitView[]): UnitView | undefined {
  return units
    .filter(({ startedAt, result }) => startedAt !== undefined && result === undefined)
    .toSorted((one, other) => (one.startedAt ?? 0) - (other.startedAt ?? 0))[0];
}
