import type { UnfinishedRun } from "../../config/state/unfinished-run.ts";
import type { RecordEvent, RunFacts, RunOutcome, SpanSubject, UnitFacts, UnitResult } from "./record.ts";

/** A run as far as its events tell. */
export interface RunView {
  readonly facts: RunFacts;
  /** Wall-clock time of its start, ISO 8601. */
  readonly time: string;
  /** Seconds of CLOCK_MONOTONIC. */
  readonly startedAt: number;
  /** Absent while it runs, and permanently when it was cut off. */
  readonly end?: { readonly at: number; readonly outcome: RunOutcome };
  /** In chain order. */
  readonly units: readonly UnitView[];
  /** An earlier run that was cut off. */
  readonly interrupted?: UnfinishedRun;
}

export interface UnitView extends UnitFacts {
  /** Seconds of CLOCK_MONOTONIC; absent when the unit has not been started. */
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly result?: UnitResult;
  /** What it is doing, or did last, in words. */
  readonly doing?: string;
  /** The programs that it is running now, by their spans. */
  readonly tools?: ReadonlyMap<number, string>;
  /** Warnings that did not stop the unit. */
  readonly notes: readonly string[];
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
type OpenUnit = Writable<Omit<UnitView, "notes" | "tools">> & { readonly notes: string[]; tools?: Map<number, string> };
type OpenRun = Writable<Omit<RunView, "units">> & { readonly units: OpenUnit[] };

/** Reads the events of one run, one at a time, into a view that is valid after each event. */
export class RunReader {
  #run: OpenRun | undefined;
  readonly #byName = new Map<string, OpenUnit>();
  /** The unit to which a span belongs, directly or through its parents. */
  readonly #unitOf = new Map<number, OpenUnit>();

  /** @throws Error on an event before the run's first one */
  get run(): RunView {
    if (this.#run === undefined) throw new Error("the run has not started");
    return this.#run;
  }

  /** @returns the unit that the event is about, in its new state */
  read(event: RecordEvent): UnitView | undefined {
    switch (event.event) {
      case "run-started":
        this.#run = {
          facts: event.run,
          time: event.time,
          startedAt: event.at,
          units: event.units.map((unit) => ({ ...unit, notes: [] })),
        };
        for (const unit of this.#run.units) this.#byName.set(unit.name, unit);
        return undefined;
      case "started":
        return this.#started(event.span, event.parent, event.at, event.what);
      case "ended": {
        const unit = this.#unitOf.get(event.span);
        if (unit !== undefined && event.outcome.kind === "unit") {
          unit.endedAt = event.at;
          unit.result = event.outcome.result;
        }
        if (unit !== undefined && event.outcome.kind === "tool") this.#tools(unit).delete(event.span);
        return unit;
      }
      case "interrupted":
        if (this.#run !== undefined) this.#run.interrupted = event.before;
        return undefined;
      case "note": {
        const unit = this.#unitOf.get(event.span);
        unit?.notes.push(event.text);
        return unit;
      }
      case "run-ended":
        if (this.#run !== undefined) this.#run.end = { at: event.at, outcome: event.outcome };
        return undefined;
    }
  }

  #started(span: number, parent: number, at: number, what: SpanSubject): UnitView | undefined {
    const unit = what.kind === "unit" ? this.#byName.get(what.name) : this.#unitOf.get(parent);
    if (unit === undefined) return undefined;
    this.#unitOf.set(span, unit);
    if (what.kind === "unit") unit.startedAt = at;
    else if (what.kind === "tool") this.#tools(unit).set(span, what.argv[0] ?? "");
    else unit.doing = doingText(what);
    return unit;
  }

  /** The tools that a unit has started and that have not ended: it may run several at once. */
  #tools(unit: OpenUnit): Map<number, string> {
    return (unit.tools ??= new Map());
  }
}

function doingText(what: Exclude<SpanSubject, { readonly kind: "unit" | "tool" }>): string {
  switch (what.kind) {
    case "plan":
      return "inspecting what is there";
    case "action":
      return what.description;
    case "retry":
      return `waiting to try again: ${what.problem.what}`;
  }
}

/** The units to show an operator: those that were asked for, and those prerequisites for which something was done. */
export function shownUnits(run: RunView): readonly UnitView[] {
  return run.units.filter(({ prerequisite, result }) => !(prerequisite && result?.kind === "unchanged" && result.activated.length === 0));
}

/**
 * The permanent changes that this run made to the units at which an earlier run was cut off: the repeated work and
 * what was still missing. Units that have not ended are left out.
 */
export function redone(before: UnfinishedRun, units: readonly UnitView[]): readonly Redone[] {
  const cut = new Set(before.at.map(({ unit }) => unit));
  return units.flatMap(({ name, result }) =>
    cut.has(name) && result?.kind === "changed" ? [{ unit: name, actions: result.provisioned }] : [],
  );
}

export interface Redone {
  readonly unit: string;
  /** Descriptions. */
  readonly actions: readonly string[];
}

/** The units that were skipped because this unit did not succeed, directly or through others. */
export function skippedFor(unit: string, units: readonly Pick<UnitView, "name" | "result">[]): string[] {
  const lost = new Set([unit]);
  // Requirements usually come first in chain order, but a profile need not keep it: repeat until nothing is added.
  for (let before = 0; before !== lost.size;) {
    before = lost.size;
    for (const { name, result } of units) if (result?.kind === "skipped" && result.because.some((cause) => lost.has(cause))) lost.add(name);
  }
  lost.delete(unit);
  return units.map(({ name }) => name).filter((name) => lost.has(name));
}
