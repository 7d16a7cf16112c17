import { Notifier } from "../base/notifier.ts";
import { toProblem } from "../base/problem.ts";
import type { Clock } from "../base/clock.ts";
import type { Inspection } from "./monitor-inspection.ts";
import type { Watcher } from "../boot/unit.ts";
import { next } from "./next.ts";
import { initialState, type Effect, type Event, type Report, type Work } from "./state.ts";

export interface MonitorOptions<M> {
  readonly watchers: readonly Watcher<M>[];
  /** Names of the units that are inspected as soon as the monitor starts. */
  readonly atStart: readonly string[];
  readonly machine: M;
  /** Inspects the units of those names, or by default all units but those that yield, and repairs what may be repaired. */
  readonly inspect: (names: readonly string[] | undefined, signal: AbortSignal) => Promise<readonly Inspection[]>;
  /** For units that cannot wait until a full inspection starts. */
  readonly quick?: QuickInspections;
  /** Called with what an operator should know: a repair, a new problem, or the end of one. */
  readonly report: (report: Report) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface QuickInspections {
  /** Names. */
  readonly units: readonly string[];
  /** Inspects one of them because of an event. @returns `undefined` where it needs the full kind of inspection */
  readonly inspect: (name: string, signal: AbortSignal) => Promise<Inspection | undefined>;
  /** Publishes the result to the rest of the node, which the full kind of inspection does itself. */
  readonly publish: (signal: AbortSignal) => Promise<void>;
}

/** Milliseconds. A longer timer of Node's would fire at once (above 2^31 - 1). */
const LONGEST_TIMER = 86_400_000;

/** Keeps a node as the boot left it: receives events, and does what next.ts decides, until the signal is aborted and all work has ended. */
export async function runMonitor<M>(options: MonitorOptions<M>): Promise<void> {
  const { watchers, atStart, machine, quick, report, clock, signal } = options;
  const events: Event[] = [];
  const notifier = new Notifier();
  const post = (event: Event): void => {
    events.push(event);
    notifier.notify();
  };
  const running = new Set<Promise<void>>();
  const start = (ending: Promise<Event>): void => {
    const done = ending.then(post).finally(() => running.delete(done));
    running.add(done);
  };
  const follow = (watcher: Watcher<M>): void => start(follows(watcher, machine, signal, post));
  let cancelling = new AbortController();
  const perform = (effect: Effect): void => {
    switch (effect.kind) {
      case "report":
        return report(effect.report);
      case "watch":
        return watchers.filter(({ name }) => name === effect.name).forEach(follow);
      case "begin":
        cancelling = new AbortController();
        return start(does(effect.work, options, AbortSignal.any([signal, cancelling.signal])));
      case "cancel":
        return cancelling.abort();
    }
  };
  const yielding = new Set(watchers.filter(({ yields }) => yields).map(({ name }) => name));
  let state = initialState({ atStart, yielding, quick: new Set(quick?.units) }, clock.now());
  watchers.forEach(follow);
  while (!signal.aborted) {
    const step = next(state, events.shift() ?? { kind: "time" }, clock.now());
    ({ state } = step);
    step.effects.forEach(perform);
    if (events.length > 0) continue;
    // The moment may be over: the step itself takes time.
    const left = Math.max(0, (step.wakeAt - clock.now()) * 1000);
    const cancel = clock.after(Math.min(left, LONGEST_TIMER), notifier.notify);
    await notifier.notified(signal);
    cancel();
  }
  await Promise.all(running);
}

async function follows<M>({ name, watch }: Watcher<M>, machine: M, signal: AbortSignal, post: (event: Event) => void): Promise<Event> {
  try {
    for await (const _ of watch(machine, signal)) post({ kind: "called", name });
    return { kind: "watch-ended", name, problem: undefined };
  } catch (error) {
    return { kind: "watch-ended", name, problem: toProblem(error) };
  }
}

async function does<M>(work: Work, { inspect, quick }: MonitorOptions<M>, signal: AbortSignal): Promise<Event> {
  try {
    switch (work.kind) {
      case "inspection":
        return { kind: "work-done", inspections: await inspect(work.names, signal) };
      case "quick-inspection": {
        const seen = await quick?.inspect(work.name, signal);
        return { kind: "work-done", inspections: seen === undefined ? undefined : [seen] };
      }
      case "publish":
        await quick?.publish(signal);
        return { kind: "work-done", inspections: [] };
    }
  } catch (error) {
    return { kind: "work-failed", problem: toProblem(error) };
  }
}
