import { expect, test } from "vitest";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import type { RecordEvent, UnitResult } from "../../../src/boot/record/record.ts";
import { type RunReport, runUnits } from "../../../src/boot/runner.ts";
import type { Scope } from "../../../src/boot/attempt.ts";
import { activate, conflict, defineUnit, type Plan, provision, type Unit, type UnitDefinition } from "../../../src/boot/unit.ts";
import { type Command, CommandError } from "../../../src/system/command.ts";
import { ProblemError, type ProblemOptions } from "../../../src/base/problem.ts";
import { outline, spanTree, unitSpans } from "../../support/record-rules.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

/** What the units of these tests see: their scope, and a clock that takes no time. */
interface World {
  readonly scope: Scope;
  readonly clock: VirtualClock;
}

type Shape = Partial<UnitDefinition<World>>;

interface Ran extends RunReport {
  readonly events: readonly RecordEvent[];
  readonly lines: readonly string[];
  readonly clock: VirtualClock;
  readonly result: (name: string) => UnitResult | undefined;
  /** Milliseconds after the start of the run at which the unit ended. */
  readonly endOf: (name: string) => number;
}

const facts = { bootId: "boot", version: "1", slot: "A", pid: 1, stage: undefined } as const;

async function run(
  units: readonly Unit<World>[],
  options: { readonly stopAt?: number; readonly machine?: (scope: Scope, clock: VirtualClock) => World } = {},
): Promise<Ran> {
  const clock = new VirtualClock();
  const controller = new AbortController();
  if (options.stopAt !== undefined) clock.after(options.stopAt, () => controller.abort());
  const events: RecordEvent[] = [];
  const machine = options.machine ?? ((scope) => ({ scope, clock }));
  const report = await runUnits(units, {
    machine: (scope) => machine(scope, clock),
    facts,
    sink: (event) => events.push(event),
    signal: controller.signal,
    clock,
  });
  const spans = unitSpans(events);
  return {
    ...report,
    events,
    lines: outline(events),
    clock,
    result: (name) => report.results.get(name),
    endOf: (name) => Math.round((spans.get(name)?.end ?? Number.NaN) * 1000),
  };
}

function unit(name: string, shape: Shape = {}): Unit<World> {
  return defineUnit({ name, title: name, plan: async () => [], ...shape });
}

/** A unit whose plans give these answers one after the other, the last one for ever. */
function answering(name: string, answers: readonly (() => Plan)[], shape: Shape = {}): Unit<World> {
  let call = 0;
  return unit(name, { plan: async () => answers[Math.min(call++, answers.length - 1)]?.() ?? [], ...shape });
}

function failing(what: string, options: ProblemOptions = {}): never {
  throw new ProblemError({ code: "test-problem", what }, options);
}

const nothing = (): Plan => [];

/** A tool that runs until it is told to stop. */
function endlessTool({ scope }: World, command: Command, stderr = ""): Promise<void> {
  const ended = scope.onTool(command);
  return new Promise((_, reject) =>
    scope.signal.addEventListener("abort", () => {
      ended({ kind: "cancelled" }, stderr);
      reject(new CommandError(command, { kind: "cancelled" }, stderr));
    }),
  );
}

test("a unit with nothing missing is unchanged, and looks once", async () => {
  const { lines, outcome, result, counts } = await run([unit("a")]);
  expect(lines).toEqual(["a", "  plan", "  /plan: planned", "/a: unchanged"]);
  expect(result("a")).toEqual({ kind: "unchanged", activated: [] });
  expect(outcome).toBe("done");
  expect(counts).toEqual({ changed: 0, unchanged: 1, degraded: 0, failed: 0, skipped: 0 });
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

test("an error that no patience helps is not tried again", async () => {
  const { lines } = await run([answering("a", [() => failing("no"), nothing], { retryFor: 10_000 })]);
  expect(lines).toEqual(["a", "  plan", "  /plan: failed", "/a: failed"]);
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

test("a retryable error in an action plans afresh, and what was done before still counts as done", async () => {
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
    facts,
    sink: (event) => events.push(event),
    signal: new AbortController().signal,
    clock,
  });
  expect(unitSpans(events).get("a")?.end).toBe(0.07);
  expect(
    waits.map(({ aborted }) => aborted),
    "whoever waited is told that it is over",
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
    facts,
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

test("notes and tools stand below what was going on when they came", async () => {
  let acted = false;
  const { lines } = await run([
    unit("a", {
      plan: async ({ scope }) => {
        scope.note("looked");
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
    "    ! looked",
    "    $ blkid -p",
    "    /$ blkid -p: tool",
    "  /plan: planned",
    "  act",
    "    ! acted",
    "  /act: done",
    "  plan",
    "    ! looked",
    "    $ blkid -p",
    "    /$ blkid -p: tool",
    "  /plan: planned",
    "/a: unchanged",
  ]);
});

test("the record says what runs, for whom, and what follows from a failure", async () => {
  const clock = new VirtualClock();
  const events: RecordEvent[] = [];
  const a = unit("a", { onFailure: "degrade" });
  await runUnits([a, unit("b", { requires: [a] })], {
    machine: (scope) => ({ scope, clock }),
    facts,
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
    run: facts,
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
    facts,
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
    facts,
    sink: (event) => events.push(event),
    signal,
    clock,
  });
  expect(results.get("slow")).toMatchObject({ kind: "failed", problem: { what: "did not end within 0.02 s" } });
  // The one of the timeout has rung, and is cancelled with the same call as any other.
  expect(open).toBe(0);
  expect(Math.abs(systemClock.now() - Number(process.hrtime.bigint()) / 1e9)).toBeLessThan(1);
  spanTree(events);
});
