import { expect, test } from "vitest";
import type { RecordEvent } from "../../../src/boot/record/record.ts";
import { runUnits } from "../../../src/boot/runner.ts";
import { activate, conflict, type Plan, provision } from "../../../src/boot/unit.ts";
import { spanTree, unitSpans } from "../../support/record-rules.ts";
import { answering, failing, nothing, run, runFacts, unit } from "../../support/run-units.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

test("a unit with nothing missing is unchanged, and is inspected once", async () => {
  const { lines, outcome, result, counts } = await run([unit("a")]);
  expect(lines).toEqual(["a", "  plan", "  /plan: planned", "/a: unchanged"]);
  expect(result("a")).toEqual({ kind: "unchanged", activated: [] });
  expect(outcome).toBe("done");
  expect(counts).toEqual({ changed: 0, unchanged: 1, degraded: 0, failed: 0, skipped: 0 });
});

test("a unit that this machine does not have is noted as absent, is not inspected, and the units that require it run", async () => {
  const a = unit("a", { plan: async () => Promise.reject(new Error("inspected")), absent: async () => Promise.resolve("no such disk") });
  const { lines, outcome } = await run([a, unit("b", { requires: [a], absent: async () => Promise.resolve(undefined) })]);
  expect(lines).toEqual([
    ...["a", "  plan", "    ! absent: no such disk", "  /plan: planned", "/a: unchanged"],
    ...["b", "  plan", "  /plan: planned", "/b: unchanged"],
  ]);
  expect(outcome).toBe("done");
});

test("what is missing is done in order, and inspected again", async () => {
  const done: string[] = [];
  const plan = answering("a", [
    () => [provision("make it", async () => void done.push("make")), activate("mount it", async () => void done.push("mount"))],
    nothing,
  ]);
  const { lines, result } = await run([plan]);
  expect(done).toEqual(["make", "mount"]);
  expect(lines).toEqual([
    "a",
    "  plan",
    "  /plan: planned",
    "  make it",
    "  /make it: done",
    "  mount it",
    "  /mount it: done",
    "  plan",
    "  /plan: planned",
    "/a: changed",
  ]);
  expect(result("a")).toEqual({ kind: "changed", provisioned: ["make it"], activated: ["mount it"] });
});

test("a unit that only put in place what every boot needs again has changed nothing", async () => {
  const { result } = await run([answering("a", [() => [activate("mount it", async () => {})], nothing])]);
  expect(result("a")).toEqual({ kind: "unchanged", activated: ["mount it"] });
});

test("a conflict fails the unit with what is in the way, and nothing is done or tried again", async () => {
  const problem = { code: "test-problem", what: "partition 10 holds ext4", found: "ext4", expected: "LUKS2" };
  const { lines, result } = await run([answering("a", [() => conflict(problem)], { retryFor: 10_000 })]);
  expect(result("a")).toEqual({ kind: "failed", problem });
  expect(lines).toEqual(["a", "  plan", "  /plan: conflict", "/a: failed"]);
});

test("a conflict that appears after the actions fails the unit too", async () => {
  const { result } = await run([
    answering("a", [() => [activate("act", async () => {})], () => conflict({ code: "test-problem", what: "in the way" })]),
  ]);
  expect(result("a")).toEqual({ kind: "failed", problem: { code: "test-problem", what: "in the way" } });
});

test("what is still missing after the actions did not converge, and is named", async () => {
  const { result } = await run([answering("a", [() => [provision("fill it", async () => {}), provision("close it", async () => {})]])]);
  expect(result("a")).toMatchObject({
    kind: "failed",
    problem: { what: expect.stringContaining("did not converge"), found: "fill it; close it" },
  });
});

test("an action that fails ends the unit: the next one does not run", async () => {
  const { lines, result } = await run([
    answering("a", [() => [provision("one", async () => failing("disk full")), provision("two", async () => expect.unreachable())]]),
  ]);
  expect(result("a")).toEqual({ kind: "failed", problem: { code: "test-problem", what: "disk full" } });
  expect(lines).toEqual(["a", "  plan", "  /plan: planned", "  one", "  /one: failed", "/a: failed"]);
});

test("a plan, an action or a machine that throws anything at all fails its unit alone", async () => {
  let machines = 0;
  const { results, outcome } = await run(
    [
      unit("a", {
        plan: () => {
          throw new TypeError("no such thing");
        },
      }),
      answering("b", [
        () => [
          provision("act", () => {
            throw "text";
          }),
        ],
      ]),
      unit("c"),
      unit("d"),
    ],
    {
      machine: (scope, clock) => {
        if (machines++ === 0) throw new Error("no machine for the first one");
        return { scope, clock };
      },
    },
  );
  expect([...results.values()].map(({ kind }) => kind)).toEqual(expect.arrayContaining(["failed", "failed", "unchanged", "unchanged"]));
  expect(results.get("a")).toMatchObject({
    kind: "failed",
    problem: { what: "a defect in guestos-boot", found: expect.stringContaining("no machine") },
  });
  expect(results.get("b")).toMatchObject({ kind: "failed", problem: { found: "text" } });
  expect(outcome).toBe("failed");
});

test("an error that is not retryable is not tried again", async () => {
  const { lines } = await run([answering("a", [() => failing("no"), nothing], { retryFor: 10_000 })]);
  expect(lines).toEqual(["a", "  plan", "  /plan: failed", "/a: failed"]);
});

test.each([
  ["EBUSY", true],
  ["ENODEV", true],
  ["ENOSPC", false],
  ["EACCES", false],
])("a system call that fails with %s is tried again: %s", async (code, isTriedAgain) => {
  const error = Object.assign(new Error(`${code}: open`), { code, syscall: "open", path: "/sys/block/dm-1/size" });
  const { result } = await run([
    answering(
      "a",
      [
        () => {
          throw error;
        },
        nothing,
      ],
      { retryFor: 10_000 },
    ),
  ]);
  expect(result("a")?.kind).toBe(isTriedAgain ? "unchanged" : "failed");
});

test("a retryable error is not tried again by a unit that has no time for it", async () => {
  const { result, endOf } = await run([answering("a", [() => failing("busy", { retryable: true }), nothing])]);
  expect(result("a")).toEqual({ kind: "failed", problem: { code: "test-problem", what: "busy" } });
  expect(endOf("a")).toBe(0);
});

test("a retryable error is tried again, with longer and longer waits, until it is gone", async () => {
  const busy = (): Plan => failing("busy", { retryable: true });
  const { result, events, endOf } = await run([answering("a", [busy, busy, busy, busy, busy, busy, busy, nothing], { retryFor: 20_000 })]);
  expect(result("a")).toEqual({ kind: "unchanged", activated: [] });
  const waits = [...spanTree(events).values()]
    .filter(({ what }) => what.kind === "retry")
    .map(({ start, end }) => Math.round((end - start) * 1000));
  expect(waits).toEqual([100, 200, 400, 800, 1600, 2000, 2000]);
  expect(endOf("a")).toBe(7100);
});

test("retries end when their time is over, with a last try at the very end, and the error is the unit's", async () => {
  const { result, endOf, events } = await run([answering("a", [() => failing("busy", { retryable: true })], { retryFor: 1_000 })]);
  expect(result("a")).toEqual({ kind: "failed", problem: { code: "test-problem", what: "busy" } });
  expect(endOf("a")).toBe(1_000);
  expect(events.filter((event) => event.event === "ended" && event.outcome.kind === "failed")).toHaveLength(5);
});

test("a retryable error in an action plans again, and what was done before still counts as done", async () => {
  const { result, lines } = await run([
    answering(
      "a",
      [
        () => [provision("one", async () => {}), provision("two", async () => failing("busy", { retryable: true }))],
        () => [provision("two", async () => {})],
        nothing,
      ],
      { retryFor: 1_000 },
    ),
  ]);
  expect(result("a")).toEqual({ kind: "changed", provisioned: ["one", "two"], activated: [] });
  expect(lines.filter((line) => line.startsWith("  /"))).toEqual([
    "  /plan: planned",
    "  /one: done",
    "  /two: failed",
    "  /retry: done",
    "  /plan: planned",
    "  /two: done",
    "  /plan: planned",
  ]);
});

test("an event wakes a retry before its time", async () => {
  const waits: AbortSignal[] = [];
  const clock = new VirtualClock();
  const wake = (signal: AbortSignal): Promise<void> => {
    waits.push(signal);
    return clock.sleep(70);
  };
  const events: RecordEvent[] = [];
  const a = answering("a", [() => failing("no medium", { retryable: true, wake }), nothing], { retryFor: 10_000 });
  await runUnits([a], {
    machine: (scope) => ({ scope, clock }),
    facts: runFacts,
    sink: (event) => events.push(event),
    signal: new AbortController().signal,
    clock,
  });
  expect(unitSpans(events).get("a")?.end).toBe(0.07);
  expect(
    waits.map(({ aborted }) => aborted),
    "who waited is told that it is over",
  ).toEqual([true]);
});

test("an event that comes at once each time does not make a busy loop", async () => {
  const wake = async (): Promise<void> => {};
  const { events } = await run([answering("a", [() => failing("busy", { retryable: true, wake })], { retryFor: 1_000 })]);
  expect(events.filter((event) => event.event === "started" && event.what.kind === "plan").length).toBeLessThanOrEqual(21);
});

test("who cannot wait for the event says so, and waits for the time instead", async () => {
  const wake = async (): Promise<void> => failing("no udev");
  const { result, lines, endOf } = await run([
    answering("a", [() => failing("busy", { retryable: true, wake }), nothing], { retryFor: 1_000 }),
  ]);
  expect(result("a")).toEqual({ kind: "unchanged", activated: [] });
  expect(lines).toContain("    ! no udev");
  expect(endOf("a")).toBe(100);
});

test("what was done before a part turned out to be missing is not done again", async () => {
  const done: string[] = [];
  const subject = answering("a", [
    () => [activate("do it", async () => void done.push("it"))],
    () => failing("the rest", { partial: true }),
  ]);
  const { result } = await run([subject]);
  expect(result("a")).toMatchObject({ kind: "degraded", partial: true });
  expect(done).toEqual(["it"]);
});

test("notes and tools are below what was going on when they came", async () => {
  let acted = false;
  const { lines } = await run([
    unit("a", {
      plan: async ({ scope }) => {
        scope.note("inspected");
        scope.onTool({ program: "blkid", args: ["-p"] })({ kind: "exited", status: 2 }, "");
        return acted
          ? []
          : [
              activate("act", async () => {
                acted = true;
                scope.note("acted");
              }),
            ];
      },
    }),
  ]);
  expect(lines).toEqual([
    "a",
    "  plan",
    "    ! inspected",
    "    $ blkid -p",
    "    /$ blkid -p: tool",
    "  /plan: planned",
    "  act",
    "    ! acted",
    "  /act: done",
    "  plan",
    "    ! inspected",
    "    $ blkid -p",
    "    /$ blkid -p: tool",
    "  /plan: planned",
    "/a: unchanged",
  ]);
});
