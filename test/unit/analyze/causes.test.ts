import fc from "fast-check";
import { expect, test } from "vitest";
import { criticalChain, gains } from "../../../src/analyze/causes.ts";
import { releasedBy, type RunBars, timelineOf } from "../../../src/analyze/timeline.ts";
import { EventScript } from "../../support/record-events.ts";

function runOf(script: EventScript): RunBars {
  return timelineOf(script.events)[0] ?? expect.unreachable();
}

const done = { kind: "unchanged", activated: [] } as const;

/** a (0–2), then b (2–5) and c (2–4), then d after both (5–6). */
function diamond(): RunBars {
  const script = new EventScript([
    { name: "a" },
    { name: "b", requires: ["a"] },
    { name: "c", requires: ["a"] },
    { name: "d", requires: ["b"], after: ["c"] },
  ]);
  script.unit(0, "a");
  script.ended(2, "a", done);
  script.unit(2, "b");
  script.unit(2, "c");
  script.ended(4, "c", done);
  script.ended(5, "b", done);
  script.unit(5, "d");
  script.ended(6, "d", done);
  return runOf(script.finish(6.5, "done"));
}

test("the critical chain goes back from the last ending through what released each unit", () => {
  const chain = criticalChain(diamond());
  expect(chain.map(({ unit, start, end }) => [unit?.name, start, end])).toEqual([
    ["a", 0, 2],
    ["b", 2, 5],
    ["d", 5, 6],
    [undefined, 6, 6.5],
  ]);
});

test("a gain ends where the next unit becomes the one that is waited for", () => {
  expect([...gains(diamond())]).toEqual([
    ["a", 2],
    // Instant, it would still have to be waited for c.
    ["b", 1],
    ["c", 0],
    ["d", 1],
  ]);
});

test("order alone releases a unit too", () => {
  const script = new EventScript([{ name: "a" }, { name: "b", after: ["a", "not-part-of-the-run"] }]);
  script.unit(0, "a");
  script.ended(3, "a", done);
  script.unit(3, "b");
  script.ended(4, "b", done);
  const run = runOf(script.finish(4, "done"));
  expect(run.units.map((unit) => releasedBy(unit, run)?.name)).toEqual([undefined, "a"]);
});

test("a run without units has a chain without units", () => {
  expect(criticalChain(runOf(new EventScript([]).finish(2, "done")))).toEqual([{ start: 0, end: 2 }]);
});

/** A run as the scheduler would have done it: each unit starts a moment after all that it requires have ended. */
const runs = fc
  .array(
    fc.record({
      takes: fc.integer({ min: 0, max: 1000 }),
      lag: fc.integer({ min: 0, max: 9 }),
      requires: fc.array(fc.nat({ max: 30 }), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((units) => {
    const ends: number[] = [];
    const facts = units.map(({ requires }, index) => ({
      name: `u${index}`,
      requires: requires.filter((other) => other < index).map((other) => `u${other}`),
    }));
    const script = new EventScript(facts);
    const events = units.flatMap(({ takes, lag, requires }, index) => {
      const start = Math.max(0, ...requires.filter((other) => other < index).map((other) => ends[other] ?? 0)) + lag / 1000;
      ends[index] = start + takes / 1000;
      return [{ at: start, end: ends[index] ?? 0, name: `u${index}` }];
    });
    for (const { at, end, name } of events.toSorted((one, other) => one.at - other.at)) {
      script.unit(at, name);
      script.ended(end, name, done);
    }
    return runOf(script.finish(Math.max(...ends) + 0.01, "done"));
  });

test("whatever the graph: the critical chain covers the run without gaps, and only its units gain", () => {
  fc.assert(
    fc.property(runs, (run) => {
      const chain = criticalChain(run);
      expect(chain[0]?.start).toBeCloseTo(run.start, 9);
      expect(chain.at(-1)?.end).toBeCloseTo(run.end, 9);
      for (const [index, { start }] of chain.entries()) if (index > 0) expect(start).toBe(chain[index - 1]?.end);
      const critical = new Set(chain.map(({ unit }) => unit?.name));
      for (const [name, gain] of gains(run)) {
        const unit = run.units.find((candidate) => candidate.name === name);
        expect(gain).toBeLessThanOrEqual((unit?.end ?? 0) - (unit?.start ?? 0) + 1e-9);
        if (gain > 1e-9) expect(critical).toContain(name);
      }
    }),
  );
});
