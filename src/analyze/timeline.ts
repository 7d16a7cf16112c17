import type { UnfinishedRun } from "../config/state/unfinished-run.ts";
import type { RecordEvent, RunFacts, RunOutcome, SpanOutcome, SpanSubject, UnitFacts, UnitResult } from "../boot/record/record.ts";

/** All times are seconds of CLOCK_MONOTONIC. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

/** A span. Where it had not ended when the record did, its end is the record's last moment. */
export interface Bar extends Interval {
  readonly what: SpanSubject;
  readonly outcome?: SpanOutcome;
  readonly inside: readonly Bar[];
}

/** A unit that was started, or skipped, in one run. */
export interface UnitBar extends UnitFacts, Interval {
  /** Absent while it runs, and where the run was cut off. */
  readonly result?: UnitResult;
  /** Plans, actions and waits, in order. */
  readonly inside: readonly Bar[];
  readonly notes: readonly { readonly at: number; readonly text: string }[];
}

export interface RunBars extends Interval {
  readonly facts: RunFacts;
  /** Wall-clock time of its start, ISO 8601. */
  readonly time: string;
  /** Absent while it runs, and where it was cut off. */
  readonly outcome?: RunOutcome;
  /** The peak memory of the program itself, in bytes, where it was recorded. */
  readonly peakMemory?: number;
  /** By start, then in chain order. */
  readonly units: readonly UnitBar[];
  /** The units that the run did not reach. */
  readonly notReached: readonly UnitFacts[];
  /** An earlier run that was cut off. */
  readonly interrupted?: UnfinishedRun;
}

type Open<T> = { -readonly [Key in keyof T]: T[Key] };
type OpenBar = Open<Omit<Bar, "inside">> & { inside: OpenBar[] };
type OpenUnit = Open<Omit<UnitBar, "inside" | "notes">> & { inside: OpenBar[]; notes: { at: number; text: string }[] };

/** The events of a record as bars on a timeline, one run after the other. */
export function timelineOf(events: readonly RecordEvent[]): readonly RunBars[] {
  const runs: RecordEvent[][] = [];
  for (const event of events) {
    if (event.event === "run-started") runs.push([]);
    runs.at(-1)?.push(event);
  }
  return runs.flatMap((run) => runBars(run) ?? []);
}

/** The runs of the boot itself: those of a stage, which services start. A record that has none (only runs by hand) counts as a whole. */
export function bootRuns(runs: readonly RunBars[]): readonly RunBars[] {
  const stages = runs.filter(({ facts }) => facts.stage !== undefined);
  return stages.length === 0 ? runs : stages;
}

function runBars(events: readonly RecordEvent[]): RunBars | undefined {
  const [first] = events;
  const last = events.at(-1);
  if (first?.event !== "run-started" || last === undefined) return undefined;
  const facts = new Map(first.units.map((unit) => [unit.name, unit]));
  const units: OpenUnit[] = [];
  const bars = new Map<number, { readonly bar: { end: number; inside: OpenBar[]; outcome?: SpanOutcome }; readonly unit: OpenUnit }>();
  for (const event of events) {
    if (event.event === "started" && event.what.kind === "unit") {
      const unit = facts.get(event.what.name);
      if (unit === undefined) continue;
      const bar = { ...unit, start: event.at, end: last.at, inside: [], notes: [] };
      units.push(bar);
      bars.set(event.span, { bar, unit: bar });
    } else if (event.event === "started") {
      const parent = bars.get(event.parent);
      if (parent === undefined) continue;
      const bar: OpenBar = { what: event.what, start: event.at, end: last.at, inside: [] };
      parent.bar.inside.push(bar);
      bars.set(event.span, { bar, unit: parent.unit });
    } else if (event.event === "ended") {
      const open = bars.get(event.span);
      if (open === undefined) continue;
      open.bar.end = event.at;
      if (event.outcome.kind === "unit") open.unit.result = event.outcome.result;
      else open.bar.outcome = event.outcome;
    } else if (event.event === "note") {
      bars.get(event.span)?.unit.notes.push({ at: event.at, text: event.text });
    }
  }
  const interrupted = events.find((event) => event.event === "interrupted");
  const reached = new Set(units.map(({ name }) => name));
  return {
    facts: first.run,
    time: first.time,
    start: first.at,
    end: last.at,
    ...(last.event === "run-ended" ? { outcome: last.outcome } : {}),
    ...(last.event === "run-ended" && last.peakMemory !== undefined ? { peakMemory: last.peakMemory } : {}),
    units: units.toSorted((one, other) => one.start - other.start),
    notReached: first.units.filter(({ name }) => !reached.has(name)),
    ...(interrupted === undefined ? {} : { interrupted: interrupted.before }),
  };
}

/**
 * The units that a unit had to wait for, as far as they were part of the run: its requirements, and those that come first by order alone.
 */
export function predecessorsOf(unit: UnitBar, run: RunBars): readonly UnitBar[] {
  const names = new Set([...unit.requires, ...(unit.after ?? [])]);
  return run.units.filter(({ name }) => names.has(name));
}

/** The predecessor that ended last: until then the unit could not start. `undefined` when it waited for none. */
export function releasedBy(unit: UnitBar, run: RunBars): UnitBar | undefined {
  let last: UnitBar | undefined;
  for (const candidate of predecessorsOf(unit, run)) if (last === undefined || candidate.end > last.end) last = candidate;
  return last;
}
