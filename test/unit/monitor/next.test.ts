import { expect, test } from "vitest";
import { next, type Next } from "../../../src/monitor/next.ts";
import { initialState, type Effect, type Event, type State, type Work } from "../../../src/monitor/state.ts";
import type { Inspection } from "../../../src/monitor/monitor-inspection.ts";

/** One unit of each kind: it may not wait, it waits for others' answers, and it is neither. */
const [quick, waiting, plain] = ["nftables", "ipv6-monitor", "data-growth"] as const;
const watch = { atStart: [plain], yielding: new Set([waiting]), quick: new Set([quick]) };
const problem = { code: "test-problem", what: "no answer" };

/** docs/monitor.md: from an event to the inspection; the longest wait of what failed; between two inspections of everything. Seconds. */
const [SOON, LONGEST_BACKOFF, LONGEST] = [0.025, 300, 3600];

const inspection = (name: string, kind: Inspection["kind"]): Inspection => ({
  ...{ name, kind, done: [], drift: [], retries: 0 },
  ...(kind === "failed" || kind === "blocked" ? { problem } : {}),
});

function inspected(work: Work): readonly string[] {
  if (work.kind === "publish") return [];
  return work.kind === "quick-inspection" ? [work.name] : (work.names ?? [quick, plain]);
}

/** All that may happen in a state: events, each with how much later it comes. */
function possible({ work }: State, wakeAt: number, now: number): readonly (readonly [Event, number])[] {
  const later = wakeAt - now;
  return [
    ...(Number.isFinite(later) ? [[{ kind: "time" }, later] as const] : []),
    ...[quick, waiting, plain].map((name) => [{ kind: "called", name }, 0.001] as const),
    [{ kind: "watch-ended", name: waiting, problem }, 1],
    ...(work === undefined
      ? []
      : [
          ...(["fine", "repaired", "failed", "blocked"] as const).map(
            (kind) => [{ kind: "work-done", inspections: inspected(work).map((name) => inspection(name, kind)) }, 2] as const,
          ),
          ...(work.kind === "quick-inspection" ? [[{ kind: "work-done", inspections: undefined }, 0.01] as const] : []),
          [{ kind: "work-failed", problem }, 20] as const,
        ]),
  ];
}

const begins = (effects: readonly Effect[]): readonly Work[] => effects.flatMap((effect) => (effect.kind === "begin" ? [effect.work] : []));
const yields = (work: Work): boolean =>
  work.kind === "publish" || (work.kind === "inspection" && work.names?.every((name) => name === waiting) === true);

/** What is true of every step. @returns what is wrong with it */
function wrong(before: State, event: Event, now: number, { state, effects, wakeAt }: Next): string | undefined {
  const initialState = begins(effects);
  const [work] = initialState;
  const ended = event.kind === "work-done" || event.kind === "work-failed";
  if (initialState.length > 1) return "two things are initialState";
  if (work !== undefined && before.work !== undefined && !ended) return "something is initialState while something goes on";
  if (work !== undefined && state.work !== work) return "it is not known what goes on";
  if (!(wakeAt > now)) return "something is due, and not initialState";
  if (state.work === undefined && !Number.isFinite(wakeAt)) return "no one wakes it";
  const known = [state.allDue, ...state.due.values()];
  if (known.some((at) => at > now + LONGEST)) return "something is put off for too long";
  if (event.kind === "called" && !((state.due.get(event.name) ?? Infinity) <= now + SOON)) return "a call is not heard";
  if (work?.kind === "inspection" && yields(work) && [...before.due].some(([name, at]) => name !== waiting && at <= now)) {
    return "what may have to wait goes first";
  }
  if (work?.kind === "inspection" && work.names?.includes(waiting) === true && work.names.length > 1) return "others wait with it";
  if (event.kind === "work-done" && before.work?.kind === "inspection" && state.publishDue !== Infinity) return "others are told twice";
  const gaveUp = effects.some(({ kind }) => kind === "cancel");
  const shouldGiveUp =
    event.kind === "called" && event.name !== waiting && before.work !== undefined && yields(before.work) && !before.cancelled;
  if (gaveUp !== shouldGiveUp) return gaveUp ? "something is given up that need not be" : "something does not yield";
  // What failed is due again, or inspected already because it has called meanwhile.
  const running = state.work === undefined ? [] : inspected(state.work);
  const again = (name: string): boolean => running.includes(name) || (state.due.get(name) ?? Infinity) <= now + LONGEST_BACKOFF;
  if (event.kind === "work-failed" && before.work?.kind === "inspection") {
    const { names } = before.work;
    if (names === undefined ? state.allDue > now + LONGEST_BACKOFF : !names.every(again)) return "what failed is not made up for";
  }
  const failed = event.kind === "work-done" ? (event.inspections ?? []).filter(({ kind }) => kind === "failed") : [];
  return failed.every(({ name }) => again(name)) ? undefined : "what could not be repaired is not tried again";
}

/** When nothing happens any more and all is well: everything that was due is done, and others are told of it. */
function comesToRest(state: State, wakeAt: number, now: number): boolean {
  let step: Next = { state, effects: [], wakeAt };
  let time = now;
  for (let steps = 0; steps < 12; steps += 1) {
    const { work, due, publishDue, watchDue } = step.state;
    if (work === undefined && due.size === 0 && publishDue === Infinity && watchDue.size === 0) return true;
    time = work === undefined ? step.wakeAt : time + 0.001;
    step = next(
      step.state,
      work === undefined ? { kind: "time" } : { kind: "work-done", inspections: inspected(work).map((name) => inspection(name, "fine")) },
      time,
    );
  }
  return false;
}

test("whatever happens, in any order: one thing goes on at a time, nothing is forgotten, and it comes to rest", () => {
  const found = new Set<string>();
  let states = 0;
  const explore = (state: State, wakeAt: number, now: number, depth: number): void => {
    states += 1;
    if (!comesToRest(state, wakeAt, now)) found.add("it does not come to rest");
    if (depth === 0) return;
    for (const [event, later] of possible(state, wakeAt, now)) {
      const at = now + later;
      const step = next(state, event, at);
      const fault = wrong(state, event, at, step);
      if (fault !== undefined) found.add(`${fault}: ${JSON.stringify([state.work, event, [...state.due], at])}`);
      else explore(step.state, step.wakeAt, at, depth - 1);
    }
  };
  const start = next(initialState(watch, 0), { kind: "time" }, 0);
  explore(start.state, start.wakeAt, 0, 5);
  expect([...found].slice(0, 3)).toEqual([]);
  expect(states).toBeGreaterThan(10_000);
});

test("it changes nothing of what it is given", () => {
  const before = initialState(watch, 0);
  const copy = structuredClone(before);
  let step = next(before, { kind: "called", name: quick }, 0);
  step = next(step.state, { kind: "work-failed", problem }, 1);
  next(step.state, { kind: "watch-ended", name: waiting, problem }, 1);
  expect(before).toEqual(copy);
});

test("what fails is tried again after half a minute, one, two, four, and then every five minutes", () => {
  let step = next(initialState(watch, 0), { kind: "time" }, 0);
  const waits: number[] = [];
  let now = 0;
  for (let failure = 0; failure < 6; failure += 1) {
    step = next(step.state, { kind: "work-done", inspections: [inspection(plain, "failed")] }, now);
    const at = step.state.due.get(plain) ?? Infinity;
    waits.push(at - now);
    now = at;
    step = next({ ...step.state, allDue: Infinity }, { kind: "time" }, now);
  }
  expect(waits).toEqual([30, 60, 120, 240, 300, 300]);
});
