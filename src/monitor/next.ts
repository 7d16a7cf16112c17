import type { Problem } from "../base/problem.ts";
import type { Inspection } from "./monitor-inspection.ts";
import type { Effect, Event, State, Work } from "./state.ts";

export interface Next {
  readonly state: State;
  /** The effects to perform, in this order. */
  readonly effects: readonly Effect[];
  /** The time of the next call even without an event; infinite for never. */
  readonly wakeAt: number;
}

/** Seconds between two inspections of all units, for changes that raise no event. */
const INSPECT_ALL = 3600;
/** Seconds from an event to the inspection: a file is seldom written in one piece. */
const SETTLE = 0.025;
/** Seconds until an inspection that yielded is done again. */
const YIELDED = 1;
/** Seconds from a quick inspection with a noteworthy result until it is published: an event seldom comes alone. */
const PUBLISH_AFTER = 1;
/** Seconds until a failed inspection or repair is tried again; doubled with each try. */
const FIRST_BACKOFF = 30;
const LONGEST_BACKOFF = 300;
/** Not the name of any unit. */
const ALL = "";

/**
 * Decides when the monitor inspects which unit: a pure function of the state, the event and the time. Watchers, processes and timers are in
 * monitor.ts.
 */
export function next(state: State, event: Event, now: number): Next {
  const step: Step = {
    ...{ ...state, due: new Map(state.due), called: new Set(state.called), watchDue: new Map(state.watchDue) },
    ...{ last: new Map(state.last), failures: new Map(state.failures), complaints: new Map(state.complaints) },
    ...{ now, effects: [] },
  };
  apply(step, event);
  for (const [name, at] of step.watchDue) if (at <= now) watchAgain(step, name);
  const work = step.work === undefined ? dueWork(step) : undefined;
  if (work !== undefined) begin(step, work);
  const { now: _, effects, ...after } = step;
  return { state: after, effects, wakeAt: wakeAt(after) };
}

/** The state under construction, copied from the previous one. */
interface Step extends State {
  readonly now: number;
  readonly effects: Effect[];
  readonly due: Map<string, number>;
  readonly called: Set<string>;
  allDue: number;
  publishDue: number;
  readonly watchDue: Map<string, number>;
  readonly last: Map<string, Inspection>;
  readonly failures: Map<string, number>;
  readonly complaints: Map<string, string>;
  work: Work | undefined;
  cancelled: boolean;
}

function wakeAt({ work, allDue, publishDue, due, watchDue }: State): number {
  return Math.min(...watchDue.values(), ...(work === undefined ? [allDue, publishDue, ...due.values()] : []));
}

function apply(step: Step, event: Event): void {
  switch (event.kind) {
    case "time":
      return;
    case "called":
      call(step, event.name);
      if (!step.watch.yielding.has(event.name)) cancel(step);
      return;
    case "watch-ended":
      step.watchDue.set(event.name, step.now + LONGEST_BACKOFF);
      if (event.problem !== undefined) complain(step, `watching ${event.name}`, event.problem);
      return;
    case "work-done":
    case "work-failed":
      return endWork(step, event);
  }
}

function watchAgain(step: Step, name: string): void {
  step.watchDue.delete(name);
  step.effects.push({ kind: "watch", name });
  // Events in the meantime went unseen.
  call(step, name);
}

/** A quick unit with an event goes first, then the inspection of all, then due units that do not yield, then those that do. */
function dueWork({ now, watch, due, called, allDue, publishDue }: Step): Work | undefined {
  const names = [...due].filter(([, at]) => at <= now).map(([name]) => name);
  const urgent = names.filter((name) => !watch.yielding.has(name));
  const quick = urgent.find((name) => called.has(name) && watch.quick.has(name));
  if (quick !== undefined) return { kind: "quick-inspection", name: quick };
  if (allDue <= now) return { kind: "inspection", names: undefined };
  if (names.length > 0) return { kind: "inspection", names: urgent.length > 0 ? urgent : names };
  return publishDue <= now ? { kind: "publish" } : undefined;
}

function begin(step: Step, work: Work): void {
  step.work = work;
  step.cancelled = false;
  step.effects.push({ kind: "begin", work });
  const { yielding } = step.watch;
  switch (work.kind) {
    case "publish":
      step.publishDue = Infinity;
      return;
    case "quick-inspection":
      return forgetDue(step, [work.name]);
    case "inspection":
      if (work.names !== undefined) return forgetDue(step, work.names);
      // The inspection of all units leaves out those that yield, so it is never cancelled. Those units follow right after it.
      forgetDue(
        step,
        [...step.due.keys()].filter((name) => !yielding.has(name)),
      );
      step.allDue = step.now + INSPECT_ALL;
      for (const name of yielding) makeDue(step, name, 0);
  }
}

function cancel(step: Step): void {
  const { work, watch } = step;
  const yields =
    work?.kind === "publish" || (work?.kind === "inspection" && work.names?.every((name) => watch.yielding.has(name)) === true);
  if (!yields || step.cancelled) return;
  step.cancelled = true;
  step.effects.push({ kind: "cancel" });
}

type Ended = Extract<Event, { readonly kind: "work-done" | "work-failed" }>;

function endWork(step: Step, ended: Ended): void {
  const { work, cancelled } = step;
  if (work === undefined) return;
  step.work = undefined;
  const doing = doingText(work);
  if (ended.kind === "work-done") step.complaints.delete(doing);
  else if (!cancelled) complain(step, doing, ended.problem);
  switch (work.kind) {
    case "publish":
      // A failed publication is not repeated: the next inspection publishes the result.
      if (ended.kind === "work-failed" && cancelled) step.publishDue = step.now + YIELDED;
      return;
    case "quick-inspection":
      if (ended.kind === "work-failed" || ended.inspections === undefined) return begin(step, { kind: "inspection", names: [work.name] });
      if (keep(step, ended.inspections)) step.publishDue = Math.min(step.publishDue, step.now + PUBLISH_AFTER);
      return;
    case "inspection":
      if (ended.kind === "work-failed") return reschedule(step, work.names, cancelled ? YIELDED : backoff(step, ALL));
      keep(step, ended.inspections ?? []);
      step.failures.delete(ALL);
      step.publishDue = Infinity;
  }
}

function doingText(work: Work): string {
  switch (work.kind) {
    case "publish":
      return "refreshing the metrics";
    case "quick-inspection":
      return `inspecting ${work.name} at once`;
    case "inspection":
      return `inspecting ${work.names?.join(", ") ?? "all units"}`;
  }
}

function reschedule(step: Step, names: readonly string[] | undefined, seconds: number): void {
  if (names === undefined) step.allDue = step.now + seconds;
  else for (const name of names) makeDue(step, name, seconds);
}

/** @returns whether any result is noteworthy */
function keep(step: Step, inspections: readonly Inspection[]): boolean {
  const noteworthy = inspections.filter(
    (inspection) => inspection.kind === "repaired" || isNoteworthy(inspection, step.last.get(inspection.name)),
  );
  for (const inspection of noteworthy) step.effects.push({ kind: "report", report: { kind: "inspection", inspection } });
  for (const inspection of inspections) {
    const { name, kind, again } = inspection;
    step.last.set(name, inspection);
    if (kind === "failed") makeDue(step, name, backoff(step, name));
    else {
      step.failures.delete(name);
      if (again !== undefined) makeDue(step, name, again);
    }
  }
  return noteworthy.length > 0;
}

/** A good result is noteworthy only after a bad one. */
function isNoteworthy(inspection: Inspection, before: Inspection | undefined): boolean {
  return JSON.stringify([inspection.problem, inspection.drift]) !== JSON.stringify([before?.problem, before?.drift ?? []]);
}

function complain(step: Step, doing: string, problem: Problem): void {
  const text = JSON.stringify(problem);
  if (step.complaints.get(doing) !== text) step.effects.push({ kind: "report", report: { kind: "problem", doing, problem } });
  step.complaints.set(doing, text);
}

/** Seconds until the next try. */
function backoff(step: Step, name: string): number {
  const before = step.failures.get(name) ?? 0;
  step.failures.set(name, before + 1);
  return Math.min(FIRST_BACKOFF * 2 ** before, LONGEST_BACKOFF);
}

/** Something has happened to that unit. */
function call(step: Step, name: string): void {
  step.called.add(name);
  makeDue(step, name, SETTLE);
}

/** The sooner of two times counts. */
function makeDue({ due, now }: Step, name: string, seconds: number): void {
  due.set(name, Math.min(now + seconds, due.get(name) ?? Infinity));
}

function forgetDue({ due, called }: Step, names: readonly string[]): void {
  for (const name of names) {
    due.delete(name);
    called.delete(name);
  }
}
