import type { Problem } from "../base/problem.ts";
import type { Look } from "./monitor-look.ts";

/** What the monitor knows. Times are seconds of a clock that never goes back. */
export interface State {
  readonly watch: Watch;
  /** When each unit is to be inspected. */
  readonly due: ReadonlyMap<string, number>;
  /** Of those, the ones that an event has called for. */
  readonly called: ReadonlySet<string>;
  /** When all units are to be inspected. */
  readonly allDue: number;
  /** When others are to be told of quick inspections; infinite when they know all. */
  readonly tellDue: number;
  /** When each watcher that has ended is to begin again. */
  readonly watchDue: ReadonlyMap<string, number>;
  /** The last word on each unit. */
  readonly last: ReadonlyMap<string, Look>;
  /** How often in a row repairing a unit has failed, and inspecting any (`ALL`). */
  readonly failures: ReadonlyMap<string, number>;
  /** What was last told of each thing that could not be done. */
  readonly complaints: ReadonlyMap<string, string>;
  /** What goes on: one thing at a time. */
  readonly work: Work | undefined;
  /** Whether that has been told to end. */
  readonly givenUp: boolean;
}

/** What is watched over, by names of units. */
export interface Watch {
  /** Inspected as soon as the monitor starts. */
  readonly atStart: readonly string[];
  /** Their inspection makes way for that of another unit that calls. */
  readonly makingWay: ReadonlySet<string>;
  /** They may not wait for what an inspection takes to begin. */
  readonly quick: ReadonlySet<string>;
}

export type Work =
  /** Inspects the units of those names, or all but those that make way; repairs what may be repaired, and tells others. */
  | { readonly kind: "look"; readonly names: readonly string[] | undefined }
  /** Inspects one unit at once, and tells no one else. */
  | { readonly kind: "quick-look"; readonly name: string }
  /** Tells the rest of the node of what was seen so. */
  | { readonly kind: "tell-others" };

export type Event =
  /** Time has passed. */
  | { readonly kind: "time" }
  /** Something has happened to that unit. */
  | { readonly kind: "called"; readonly name: string }
  /** No more is heard of that unit. */
  | { readonly kind: "watch-ended"; readonly name: string; readonly problem: Problem | undefined }
  /** What was seen: `undefined` where a unit cannot be inspected at once. */
  | { readonly kind: "work-done"; readonly looks: readonly Look[] | undefined }
  /** Also where it was given up. */
  | { readonly kind: "work-failed"; readonly problem: Problem };

export type News =
  | { readonly kind: "look"; readonly look: Look }
  /** The monitor itself could not do something. */
  | { readonly kind: "trouble"; readonly doing: string; readonly problem: Problem };

export type Effect =
  | { readonly kind: "tell"; readonly news: News }
  | { readonly kind: "watch"; readonly name: string }
  | { readonly kind: "begin"; readonly work: Work }
  /** Tells the work that goes on to end. */
  | { readonly kind: "give-up" };

/** Seconds until everything is inspected for the first time: not while the node still starts. */
const FIRST_LOOK_AT_ALL = 600;

/** Before anything has happened. */
export function begun(watch: Watch, now: number): State {
  return {
    watch,
    due: new Map(watch.atStart.map((name) => [name, now])),
    called: new Set(),
    ...{ allDue: now + FIRST_LOOK_AT_ALL, tellDue: Infinity, watchDue: new Map() },
    ...{ last: new Map(), failures: new Map(), complaints: new Map() },
    ...{ work: undefined, givenUp: false },
  };
}
