import type { Problem } from "../base/problem.ts";
import type { Inspection } from "./monitor-inspection.ts";

/** The monitor's state. Times are seconds of a monotonic clock. */
export interface State {
  readonly watch: Watch;
  /** When each unit is to be inspected. */
  readonly due: ReadonlyMap<string, number>;
  /** Of those, the units with an event. */
  readonly called: ReadonlySet<string>;
  /** When all units are to be inspected. */
  readonly allDue: number;
  /** When the results of quick inspections are to be published; infinite when all are. */
  readonly publishDue: number;
  /** When each watcher that has ended is to begin again. */
  readonly watchDue: ReadonlyMap<string, number>;
  /** The last result of each unit. */
  readonly last: ReadonlyMap<string, Inspection>;
  /** Consecutive failures: of repairing each unit, and of inspecting any (`ALL`). */
  readonly failures: ReadonlyMap<string, number>;
  /** The last reported problem of each failed operation. */
  readonly complaints: ReadonlyMap<string, string>;
  /** The work in progress: one item at a time. */
  readonly work: Work | undefined;
  /** Whether that work has been cancelled. */
  readonly cancelled: boolean;
}

/** What the monitor watches, by names of units. */
export interface Watch {
  /** Inspected as soon as the monitor starts. */
  readonly atStart: readonly string[];
  /** Their inspection yields to another unit with an event. */
  readonly yielding: ReadonlySet<string>;
  /** They cannot wait until a full inspection starts. */
  readonly quick: ReadonlySet<string>;
}

export type Work =
  /** Inspects the units of those names, or all but those that yield; repairs what may be repaired, and publishes the results. */
  | { readonly kind: "inspection"; readonly names: readonly string[] | undefined }
  /** Inspects one unit at once, and does not publish the result. */
  | { readonly kind: "quick-inspection"; readonly name: string }
  /** Publishes the results of quick inspections. */
  | { readonly kind: "publish" };

export type Event =
  /** Time has passed. */
  | { readonly kind: "time" }
  /** Something has happened to that unit. */
  | { readonly kind: "called"; readonly name: string }
  /** The watcher of that unit has ended. */
  | { readonly kind: "watch-ended"; readonly name: string; readonly problem: Problem | undefined }
  /** The results: `undefined` where a unit cannot be inspected at once. */
  | { readonly kind: "work-done"; readonly inspections: readonly Inspection[] | undefined }
  /** Also where the work was cancelled. */
  | { readonly kind: "work-failed"; readonly problem: Problem };

export type Report =
  | { readonly kind: "inspection"; readonly inspection: Inspection }
  /** The monitor itself could not do something. */
  | { readonly kind: "problem"; readonly doing: string; readonly problem: Problem };

export type Effect =
  | { readonly kind: "report"; readonly report: Report }
  | { readonly kind: "watch"; readonly name: string }
  | { readonly kind: "begin"; readonly work: Work }
  /** Cancels the work in progress. */
  | { readonly kind: "cancel" };

/** Seconds until the first inspection of all units: not while the node is still starting. */
const FIRST_INSPECT_ALL = 600;

/** The state before any event. */
export function initialState(watch: Watch, now: number): State {
  return {
    watch,
    due: new Map(watch.atStart.map((name) => [name, now])),
    called: new Set(),
    ...{ allDue: now + FIRST_INSPECT_ALL, publishDue: Infinity, watchDue: new Map() },
    ...{ last: new Map(), failures: new Map(), complaints: new Map() },
    ...{ work: undefined, cancelled: false },
  };
}
