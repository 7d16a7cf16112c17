import fc from "fast-check";
import { expect, test } from "vitest";
import type { Scope } from "../../../src/boot/attempt.ts";
import type { RecordEvent } from "../../../src/boot/record/record.ts";
import { succeeded } from "../../../src/boot/record/results.ts";
import { graphProblems } from "../../../src/boot/graph.ts";
import { runUnits } from "../../../src/boot/runner.ts";
import { activate, conflict, defineUnit, provision, type Unit } from "../../../src/boot/unit.ts";
import { ProblemError } from "../../../src/base/problem.ts";
import { unitSpans } from "../../support/record-rules.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

/** How a unit behaves, whatever the order in which units run. Times in milliseconds. */
interface Behaviour {
  /** Indices, taken modulo the units before it. */
  readonly requires: readonly number[];
  readonly after: readonly number[];
  readonly kind: "unchanged" | "activates" | "changes" | "conflict" | "plan-fails" | "action-fails" | "diverges" | "hangs" | "hangs-deaf";
  /** How often its plan fails first with an error that is worth a retry. */
  readonly busy: number;
  readonly retryFor: number;
  readonly latency: number;
  readonly timeout: number;
  readonly degrade: boolean;
}

const behaviour: fc.Arbitrary<Behaviour> = fc.record({
  requires: fc.array(fc.nat(199), { maxLength: 3 }),
  after: fc.array(fc.nat(199), { maxLength: 2 }),
  // Mostly well, or nothing but skipped units would be left of a large graph.
  kind: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom("unchanged", "activates", "changes") },
    { weight: 1, arbitrary: fc.constantFrom("conflict", "plan-fails", "action-fails", "diverges", "hangs", "hangs-deaf") },
  ),
  busy: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(4) }),
  retryFor: fc.constantFrom(0, 1_000, 60_000),
  latency: fc.nat(500),
  timeout: fc.constantFrom(700, 60_000, 60_000),
  degrade: fc.boolean(),
});

const graph = fc.record({ behaviours: fc.array(behaviour, { minLength: 1, maxLength: 200, size: "max" }), seed: fc.nat() });

interface World {
  readonly scope: Scope;
  readonly clock: VirtualClock;
}

interface Observed {
  readonly events: readonly RecordEvent[];
  readonly units: readonly Unit<World>[];
  readonly outcome: string;
  /** Units in the order in which they were asked for their first plan. */
  readonly asked: readonly string[];
}

async function observe(behaviours: readonly Behaviour[], seed: number, stopAt?: number): Promise<Observed> {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const units: Unit<World>[] = [];
  for (const [index, each] of behaviours.entries()) {
    const pick = (indices: readonly number[]): Unit<World>[] =>
      index === 0 ? [] : indices.flatMap((chosen) => units[chosen % index] ?? []);
    units.push(
      defineUnit<World>({
        name: `u${index}`,
        title: `u${index}`,
        requires: pick(each.requires),
        after: pick(each.after),
        timeout: each.timeout,
        retryFor: each.retryFor,
        onFailure: each.degrade ? "degrade" : "stop",
        plan: planOf(`u${index}`, each, asked),
      }),
    );
  }
  const chain = shuffle(units, seed);
  expect(graphProblems(chain)).toEqual([]);
  const controller = new AbortController();
  if (stopAt !== undefined) clock.after(stopAt, () => controller.abort());
  const events: RecordEvent[] = [];
  let state = seed;
  const { outcome } = await runUnits(chain, {
    machine: (scope) => ({ scope, clock }),
    facts: { bootId: "", version: "", slot: undefined, pid: 1, stage: undefined },
    sink: (event) => events.push(event),
    signal: controller.signal,
    clock,
    arrange: (ready) => shuffle(ready, state++),
  });
  return { events, units, outcome, asked };
}

function planOf(name: string, each: Behaviour, asked: string[]): Unit<World>["plan"] {
  let busy = each.busy;
  let calls = 0;
  let done = false;
  return async ({ scope, clock }) => {
    if (calls++ === 0) asked.push(name);
    await clock.sleep(1 + each.latency);
    if (busy-- > 0) throw new ProblemError({ code: "test-problem", what: "busy" }, { retryable: true });
    if (done) return [];
    const finish = async (): Promise<void> => {
      await clock.sleep(1 + each.latency);
      done = true;
    };
    switch (each.kind) {
      case "unchanged":
        return [];
      case "activates":
        return [activate("activate", finish)];
      case "changes":
        return [provision("provision", finish), activate("activate", finish)];
      case "conflict":
        return conflict({ code: "test-problem", what: "in the way" });
      case "plan-fails":
        throw new ProblemError({ code: "test-problem", what: "cannot inspect" });
      case "action-fails":
        return [
          provision("provision", async () => {
            throw new ProblemError({ code: "test-problem", what: "cannot act" });
          }),
        ];
      case "diverges":
        return [provision("provision", async () => {})];
      case "hangs":
        return new Promise((_, reject) => scope.signal.addEventListener("abort", () => reject(new Error("aborted"))));
      case "hangs-deaf":
        return new Promise(() => {});
    }
  };
}

/** What a unit comes to when it runs, and after how many milliseconds: the same rules, written a second time. */
function expected(each: Behaviour): { readonly kind: "unchanged" | "changed" | "bad"; readonly takes: number } {
  const inspection = 1 + each.latency;
  const backoffs = [100, 200, 400, 800];
  let takes = 0;
  let left = each.retryFor;
  for (let attempt = 0; attempt < each.busy; attempt++) {
    takes += inspection;
    if (attempt > 0) left -= inspection;
    if (left <= 0) return limited(each, takes, "bad");
    const wait = Math.min(backoffs[attempt] ?? 0, left);
    takes += wait;
    left -= wait;
  }
  takes += inspection;
  switch (each.kind) {
    case "unchanged":
      return limited(each, takes, "unchanged");
    case "activates":
      return limited(each, takes + 2 * inspection, "unchanged", takes);
    case "changes":
      return limited(each, takes + 3 * inspection, "changed", takes, takes + inspection);
    case "hangs":
      return { kind: "bad", takes: Math.max(takes, each.timeout) };
    case "hangs-deaf":
      return { kind: "bad", takes: each.timeout + 4_000 };
    case "diverges":
      return limited(each, takes + inspection, "bad", takes);
    default:
      return limited(each, takes, "bad");
  }
}

/**
 * With its time up a unit that sleeps on is let go on for the grace, but no action or retry starts any more: `gates` are
 * the moments at which one would.
 */
function limited(
  each: Behaviour,
  takes: number,
  kind: "unchanged" | "changed" | "bad",
  ...gates: readonly number[]
): { readonly kind: "unchanged" | "changed" | "bad"; readonly takes: number } {
  const shut = gates.find((gate) => gate >= each.timeout);
  if (shut !== undefined) return { kind: "bad", takes: shut };
  return { kind, takes };
}

test("the rules hold on any graph, with any failures, delays and orders", async () => {
  await fc.assert(
    fc.asyncProperty(graph, async ({ behaviours, seed }) => {
      const { events, units, outcome, asked } = await observe(behaviours, seed);
      const spans = unitSpans(events);
      // All end, each once: unitSpans refuses a second span of a unit, and asked would show a second run.
      expect(spans.size).toBe(units.length);
      expect(new Set(asked).size).toBe(asked.length);
      for (const [index, unit] of units.entries()) {
        const span = spans.get(unit.name);
        const each = behaviours[index];
        if (span === undefined || each === undefined) throw new Error(`${unit.name} is missing`);
        const before = [...unit.requires, ...unit.after].flatMap(({ name }) => spans.get(name) ?? []);
        // Nothing starts before what it waits for has ended, and nothing waits for anything else.
        for (const other of before) expect(other.endedAs).toBeLessThan(span.startedAs);
        expect(span.start).toBe(Math.max(0, ...before.map(({ end }) => end)));
        // Skipped exactly when a requirement did not succeed, and for exactly those.
        const lost = unit.requires
          .filter(({ name }) => !succeeded(spans.get(name)?.result ?? { kind: "skipped", because: [] }))
          .map(({ name }) => name);
        expect(span.result.kind === "skipped").toBe(lost.length > 0);
        if (span.result.kind === "skipped") expect(span.result.because).toEqual(lost);
        expect(asked.includes(unit.name)).toBe(lost.length === 0);
      }
      const bad = units.filter(({ name }) => !succeeded(spans.get(name)?.result ?? { kind: "skipped", because: [] }));
      expect(outcome).toBe(bad.length === 0 ? "done" : bad.some(({ onFailure }) => onFailure === "stop") ? "failed" : "degraded");
    }),
    { numRuns: 100 },
  );
});

test("each unit comes to what its own behaviour makes of it, in the time that takes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(behaviour, { minLength: 1, maxLength: 60, size: "max" }), fc.nat(), async (behaviours, seed) => {
      const { events, units } = await observe(behaviours, seed);
      const spans = unitSpans(events);
      for (const [index, unit] of units.entries()) {
        const span = spans.get(unit.name);
        const each = behaviours[index];
        if (span === undefined || each === undefined || span.result.kind === "skipped") continue;
        const { kind, takes } = expected(each);
        // In the milliseconds around the limits of time either may come first.
        if (Math.abs(takes - each.timeout) < 2 || (takes > each.timeout && each.busy > 0)) continue;
        const bad = each.degrade ? "degraded" : "failed";
        expect({ kind: span.result.kind, takes: Math.round((span.end - span.start) * 1000) }).toEqual({
          kind: kind === "bad" ? bad : kind,
          takes,
        });
      }
    }),
    { numRuns: 200 },
  );
});

test("the same seed gives the same record, event for event", async () => {
  await fc.assert(
    fc.asyncProperty(graph, async ({ behaviours, seed }) => {
      expect((await observe(behaviours, seed)).events).toEqual((await observe(behaviours, seed)).events);
    }),
    { numRuns: 30 },
  );
});

test("told to stop at any moment, a run ends within the grace, and every unit has ended or was not started", async () => {
  await fc.assert(
    fc.asyncProperty(graph, fc.nat(5_000), async ({ behaviours, seed }, stopAt) => {
      const whole = await observe(behaviours, seed);
      const { events, units, outcome } = await observe(behaviours, seed, stopAt);
      const spans = unitSpans(events);
      expect(spans.size).toBe(units.length);
      const stop = (1 + stopAt) / 1000;
      for (const span of spans.values()) {
        expect(span.end).toBeLessThanOrEqual(stop + 4);
        if (span.start > stop) expect(span.result.kind).toBe("skipped");
      }
      const end = events.at(-1)?.at ?? Infinity;
      const wholeEnd = whole.events.at(-1)?.at ?? Infinity;
      if (wholeEnd < stopAt / 1000) expect(outcome).toBe(whole.outcome === "done" ? "done" : whole.outcome);
      else expect(end).toBeLessThanOrEqual(stop + 4);
      if (outcome === "stopped") expect([...spans.values()].some(({ result }) => !succeeded(result))).toBe(true);
    }),
    { numRuns: 50 },
  );
});

function shuffle<T>(items: readonly T[], seed: number): readonly T[] {
  let state = seed;
  return items
    .map((item) => ({ item, key: (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) }))
    .toSorted((left, right) => left.key - right.key)
    .map(({ item }) => item);
}
