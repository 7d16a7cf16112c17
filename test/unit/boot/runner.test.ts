import { expect, test } from "vitest";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import type { RecordEvent } from "../../../src/boot/record/record.ts";
import { runUnits } from "../../../src/boot/runner.ts";
import type { Scope } from "../../../src/boot/attempt.ts";
import { activate, defineUnit, type Plan, provision, type Unit } from "../../../src/boot/unit.ts";
import type { Command } from "../../../src/system/command.ts";
import { ProblemError } from "../../../src/base/problem.ts";
import { spanTree, unitSpans } from "../../support/record-rules.ts";
import { answering, endlessTool, failing, run, runFacts, unit, type World } from "../../support/run-units.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

test("a unit whose time is up has its tools stopped, and says what it was doing and the tool's last words", async () => {
  const mkfs: Command = { program: "mkfs.xfs", args: ["/dev/x"] };
  const { result, lines, endOf } = await run([
    unit("a", {
      timeout: 5_000,
      plan: async (world) => [provision("make the file system", () => endlessTool(world, mkfs, "discarding blocks\n"))],
    }),
  ]);
  expect(result("a")).toMatchObject({
    kind: "failed",
    problem: {
      what: "did not end within 5 s",
      found: expect.stringMatching(/^make the file system \(mkfs.xfs \/dev\/x: .*discarding blocks\)$/),
      todo: expect.stringContaining("guestos-boot --unit a"),
    },
  });
  expect(lines).toEqual([
    "a",
    "  plan",
    "  /plan: planned",
    "  make the file system",
    "    $ mkfs.xfs /dev/x",
    "    /$ mkfs.xfs /dev/x: tool",
    "  /make the file system: failed",
    "/a: failed",
  ]);
  expect(endOf("a")).toBe(5_000);
});

test("no action starts once the time is up", async () => {
  const { result } = await run([
    unit("a", {
      timeout: 1_000,
      plan: async ({ clock }) => [provision("slow", () => clock.sleep(1_500)), provision("next", async () => expect.unreachable())],
    }),
  ]);
  expect(result("a")).toMatchObject({ kind: "failed", problem: { what: "did not end within 1 s", found: "slow" } });
});

test("a unit that gets done within the grace, and is found to be done, has succeeded", async () => {
  let done = false;
  const { result } = await run([
    unit("a", {
      timeout: 1_000,
      plan: async ({ clock }) =>
        done
          ? []
          : [
              provision("slow", () =>
                clock.sleep(1_500).then(() => {
                  done = true;
                }),
              ),
            ],
    }),
  ]);
  expect(result("a")).toEqual({ kind: "changed", provisioned: ["slow"], activated: [] });
});

test("a unit that does not hear the signal is left behind after the grace: the record is closed and stays so", async () => {
  const stuck: Command = { program: "mount", args: ["/dev/x", "/y"] };
  const { result, lines, endOf, events, clock } = await run([
    unit("a", {
      timeout: 1_000,
      plan: async ({ clock: time, scope }) => [
        activate("mount it", async () => {
          const ended = scope.onTool(stuck);
          await time.sleep(60_000);
          ended({ kind: "exited", status: 0 }, "");
          scope.note("too late to be heard");
          scope.onTool(stuck)({ kind: "exited", status: 0 }, "");
        }),
      ],
    }),
  ]);
  expect(result("a")).toMatchObject({
    kind: "failed",
    problem: { what: "did not end within 1 s", found: "mount it: mount /dev/x /y; it did not react to the stop" },
  });
  expect(endOf("a")).toBe(5_000);
  const length = events.length;
  await clock.sleep(120_000);
  expect(events.length).toBe(length);
  expect(lines.slice(-4)).toEqual(["    $ mount /dev/x /y", "    /$ mount /dev/x /y: tool", "  /mount it: failed", "/a: failed"]);
});

test("time spent on retries counts: the unit's own time ends them", async () => {
  const { result, endOf } = await run([answering("a", [() => failing("busy", { retryable: true })], { retryFor: 60_000, timeout: 1_000 })]);
  expect(result("a")).toMatchObject({ problem: { what: "did not end within 1 s", found: "waiting to try again (busy)" } });
  expect(endOf("a")).toBe(1_000);
});

test("a tool that no one waits for any more is stopped when its unit ends", async () => {
  const signals: AbortSignal[] = [];
  const { lines, endOf } = await run([
    unit("a", {
      plan: async (world) => {
        signals.push(world.scope.signal);
        await Promise.all([
          endlessTool(world, { program: "slow", args: [] }),
          Promise.reject(new ProblemError({ code: "test-problem", what: "the other one failed" })),
        ]);
        return [];
      },
    }),
  ]);
  expect(signals[0]?.aborted).toBe(true);
  expect(lines).toEqual(["a", "  plan", "    $ slow", "  /plan: failed", "    /$ slow: tool", "/a: failed"]);
  expect(endOf("a")).toBe(0);
});

test("a unit that ended in order is not told to stop, by its own time or with the run", async () => {
  const signals: AbortSignal[] = [];
  const a = unit("a", { plan: async ({ scope }) => (signals.push(scope.signal), []) });
  const b = unit("b", { plan: () => new Promise(() => {}), timeout: 600_000 });
  const { clock } = await run([a, b], { stopAt: 100_000 });
  await clock.sleep(600_000);
  expect(signals[0]?.aborted).toBe(false);
});

test("a run that is told to stop stops what runs, skips the rest, and says so", async () => {
  const tool: Command = { program: "sleep", args: [] };
  const a = unit("a", { plan: async (world) => [provision("wait", () => endlessTool(world, tool))] });
  const b = unit("b", { requires: [a] });
  const c = unit("c", { plan: async ({ clock }) => (await clock.sleep(1_000), []) });
  const d = unit("d", { after: [a], requires: [c] });
  const { result, outcome, endOf } = await run([a, b, c, d], { stopAt: 2_000 });
  expect(result("a")).toMatchObject({
    kind: "failed",
    problem: { what: "was stopped before it ended", found: expect.stringContaining("wait (sleep:") },
  });
  expect(result("b")).toEqual({ kind: "skipped", because: ["a"] });
  expect(result("c")).toMatchObject({ kind: "unchanged" });
  expect(result("d")).toEqual({ kind: "skipped", because: [] });
  expect(outcome).toBe("stopped");
  expect(endOf("a")).toBe(2_000);
});

test("a run that is told to stop ends within the grace also when a unit does not listen", async () => {
  const { result, outcome, endOf } = await run([unit("a", { plan: () => new Promise(() => {}), timeout: 600_000 })], { stopAt: 1_000 });
  expect(result("a")).toMatchObject({
    kind: "failed",
    problem: { what: "was stopped before it ended", found: "inspecting what is there; it did not react to the stop" },
  });
  expect(endOf("a")).toBe(5_000);
  expect(outcome).toBe("stopped");
});

test("told to stop while waiting for a retry, a unit does not try again", async () => {
  const { result, lines } = await run(
    [answering("a", [() => failing("busy", { retryable: true }), () => expect.unreachable()], { retryFor: 10_000 })],
    { stopAt: 50 },
  );
  expect(result("a")).toMatchObject({ problem: { what: "was stopped before it ended", found: "waiting to try again (busy)" } });
  expect(lines).toEqual(["a", "  plan", "  /plan: failed", "  retry", "  /retry: done", "/a: failed"]);
});

test("a unit whose time was up before the run was told to stop has failed for its own time", async () => {
  const { result } = await run([unit("a", { plan: () => new Promise(() => {}), timeout: 1_000 })], { stopAt: 2_000 });
  expect(result("a")).toMatchObject({ problem: { what: "did not end within 1 s" } });
});

test("a run that was told to stop before it began runs nothing", async () => {
  const events: RecordEvent[] = [];
  const signal = AbortSignal.abort();
  const a = unit("a", { plan: () => expect.unreachable() });
  const { outcome, counts } = await runUnits([a, unit("b", { requires: [a] })], {
    machine: () => expect.unreachable(),
    facts: runFacts,
    sink: (event) => events.push(event),
    signal,
  });
  expect(outcome).toBe("stopped");
  expect(counts.skipped).toBe(2);
  expect(unitSpans(events).get("a")?.result).toEqual({ kind: "skipped", because: [] });
});

test("a run that is told to stop with its last unit done is done", async () => {
  const { outcome } = await run([unit("a", { plan: async ({ clock }) => (await clock.sleep(2_000), []) })], { stopAt: 1_000 });
  expect(outcome).toBe("done");
});

test("a unit that did all but a part degrades the boot, whatever its failure would do, and what requires it runs", async () => {
  const partial = unit("a", { plan: async () => failing("a value cannot be used", { partial: true }) });
  const { outcome, result } = await run([partial, unit("b", { requires: [partial] })]);
  expect(outcome).toBe("degraded");
  expect(result("a")).toEqual({ kind: "degraded", problem: { code: "test-problem", what: "a value cannot be used" }, partial: true });
  expect(result("b")).toMatchObject({ kind: "unchanged" });
});

test("a unit that may fail degrades the boot, and one that requires it and may not fail makes it fail", async () => {
  const broken = (): Plan => failing("no shipper");
  const degraded = await run([answering("shipper", [broken], { onFailure: "degrade" }), unit("other")]);
  expect(degraded.result("shipper")).toEqual({ kind: "degraded", problem: { code: "test-problem", what: "no shipper" } });
  expect(degraded.outcome).toBe("degraded");
  const shipper = answering("shipper", [broken], { onFailure: "degrade" });
  expect((await run([shipper, unit("extra", { requires: [shipper], onFailure: "degrade" })])).outcome).toBe("degraded");
  expect((await run([shipper, unit("needed", { requires: [shipper] })])).outcome).toBe("failed");
});

test("a failed unit does not stop what is independent of it", async () => {
  const { results, outcome } = await run([
    answering("a", [() => failing("no")]),
    unit("b", { plan: async ({ clock }) => (await clock.sleep(1_000), []) }),
  ]);
  expect([...results.values()].map(({ kind }) => kind)).toEqual(["failed", "unchanged"]);
  expect(outcome).toBe("failed");
});

test("independent units run at the same time", async () => {
  const slow = (name: string): Unit<World> => unit(name, { plan: async ({ clock }) => (await clock.sleep(1_000), []) });
  const { clock } = await run([slow("a"), slow("b"), slow("c")]);
  expect(clock.milliseconds).toBe(1_000);
});

test("the record says what runs, for whom, and what follows from a failure", async () => {
  const clock = new VirtualClock();
  const events: RecordEvent[] = [];
  const a = unit("a", { onFailure: "degrade" });
  await runUnits([a, unit("b", { requires: [a] })], {
    machine: (scope) => ({ scope, clock }),
    facts: runFacts,
    sink: (event) => events.push(event),
    signal: new AbortController().signal,
    prerequisites: new Set(["a"]),
    clock,
  });
  expect(events[0]).toEqual({
    event: "run-started",
    span: 1,
    at: 0,
    time: "1970-01-01T00:00:00.000Z",
    run: runFacts,
    units: [
      { name: "a", requires: [], prerequisite: true, onFailure: "degrade" },
      { name: "b", requires: ["a"], prerequisite: false, onFailure: "stop" },
    ],
  });
  expect(events.at(-1)).toMatchObject({ event: "run-ended", span: 1, outcome: "done", counts: { unchanged: 2 } });
});

test("the record ends with the most memory that was used, where someone measures it", async () => {
  const events: RecordEvent[] = [];
  const options = {
    machine: (scope: Scope) => ({ scope, clock: new VirtualClock() }),
    facts: runFacts,
    sink: (event: RecordEvent) => void events.push(event),
    signal: new AbortController().signal,
    clock: new VirtualClock(),
  };
  await runUnits([unit("a")], options);
  expect(events.at(-1)).not.toHaveProperty("peakMemory");
  await runUnits([unit("a")], { ...options, peakMemory: () => 1234 });
  expect(events.at(-1)).toMatchObject({ event: "run-ended", peakMemory: 1234 });
});

test("on the machine's own clock a timeout comes, and a unit that ends in time leaves no alarm behind", async () => {
  const events: RecordEvent[] = [];
  let open = 0;
  const clock: Clock = {
    ...systemClock,
    after: (milliseconds, then) => {
      open++;
      const cancel = systemClock.after(milliseconds, then);
      return () => {
        open--;
        cancel();
      };
    },
  };
  const slow = defineUnit<Scope>({
    name: "slow",
    title: "slow",
    timeout: 20,
    plan: (scope) => new Promise((_, reject) => scope.signal.addEventListener("abort", () => reject(scope.signal.reason))),
  });
  const quick = defineUnit<Scope>({ name: "quick", title: "quick", plan: async () => [] });
  const signal = new AbortController().signal;
  const { results } = await runUnits([slow, quick], {
    machine: (scope) => scope,
    facts: runFacts,
    sink: (event) => events.push(event),
    signal,
    clock,
  });
  expect(results.get("slow")).toMatchObject({ kind: "failed", problem: { what: "did not end within 0.02 s" } });
  // The one of the timeout has fired, and is cancelled with the same call as any other.
  expect(open).toBe(0);
  expect(Math.abs(systemClock.now() - Number(process.hrtime.bigint()) / 1e9)).toBeLessThan(1);
  spanTree(events);
});
