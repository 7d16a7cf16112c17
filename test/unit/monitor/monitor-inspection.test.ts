import { expect, test } from "vitest";
import { inspectAll } from "../../../src/monitor/monitor-inspection.ts";
import type { RecordEvent } from "../../../src/boot/record/record.ts";
import { activate, conflict, defineUnit, type Plan, type Unit } from "../../../src/boot/unit.ts";
import { CommandError } from "../../../src/system/command.ts";
import { ProblemError } from "../../../src/base/problem.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const facts = { bootId: "b", version: "1", slot: "A", pid: 1, stage: undefined, monitor: true } as const;

async function inspected(...units: readonly Unit<undefined>[]): Promise<{
  readonly inspections: Awaited<ReturnType<typeof inspectAll>>;
  readonly events: readonly RecordEvent[];
}> {
  const events: RecordEvent[] = [];
  const inspections = await inspectAll(units, {
    machine: () => undefined,
    facts,
    sink: (event) => events.push(event),
    signal: new AbortController().signal,
    clock: new VirtualClock(),
  });
  return { inspections, events };
}

/** A unit that misses something until its action has run. */
function missing(repairs: boolean, action: () => void = () => undefined): Unit<undefined> {
  let there = false;
  const plan = async (): Promise<Plan> =>
    there
      ? []
      : [
          activate("put it there", async () => {
            action();
            there = true;
          }),
        ];
  return defineUnit({ name: "x", title: "X", repairs, plan });
}

const refuse = (): never => {
  throw new ProblemError({ code: "test-problem", what: "the tool failed" });
};

test("what may be repaired is, and recorded", async () => {
  const { inspections, events } = await inspected(missing(true));
  expect(inspections).toEqual([{ name: "x", kind: "repaired", done: ["put it there"], drift: [], retries: 0 }]);
  expect(events.map(({ event }) => event)).toContain("run-ended");
});

test("what may not is reported, left alone, and not recorded", async () => {
  let touched = false;
  const { inspections, events } = await inspected(missing(false, () => (touched = true)));
  expect(inspections).toEqual([{ name: "x", kind: "drift", done: [], drift: ["put it there"], retries: 0 }]);
  expect(touched).toBe(false);
  expect(events).toEqual([]);
});

test("a failed action leaves its drift, and is worth another try", async () => {
  const { inspections } = await inspected(missing(true, refuse));
  expect(inspections).toMatchObject([{ kind: "failed", done: [], drift: ["put it there"], problem: { what: "the tool failed" } }]);
});

test.each([true, false])("a conflict blocks the unit, and so does an inspection that fails (repairs: %s)", async (repairs) => {
  const plans = [async () => conflict({ code: "test-problem", what: "in the way" }), async () => refuse()];
  const units = plans.map((plan, index) => defineUnit<undefined>({ name: `x${index}`, title: "X", repairs, plan }));
  const { inspections } = await inspected(...units);
  expect(inspections).toMatchObject([
    { name: "x0", kind: "blocked", problem: { what: "in the way" } },
    { name: "x1", kind: "blocked", problem: { what: "the tool failed" } },
  ]);
});

test.each([
  ["what a unit says may pass by itself", new ProblemError({ code: "test-problem", what: "not there yet" }, { retryable: true })],
  ["a tool that failed", new CommandError({ program: "nft", args: [] }, { kind: "signalled", signal: "SIGKILL" }, "")],
  ["an error of the kernel's", new Error("EIO: i/o error, read")],
])("%s blocks no unit: it is worth another inspection", async (_, error) => {
  const plan = async (): Promise<never> => Promise.reject(error);
  const units = [true, false].map((repairs) => defineUnit<undefined>({ name: `x${repairs}`, title: "X", repairs, plan }));
  expect((await inspected(...units)).inspections).toMatchObject([{ kind: "failed" }, { kind: "failed" }]);
});

test("an inspection that is stopped because its time was up is worth another one", async () => {
  const plan = async (): Promise<never> => new Promise(() => undefined);
  const [inspection] = (await inspected(defineUnit<undefined>({ name: "x", title: "X", repairs: true, timeout: 1000, plan }))).inspections;
  expect(inspection).toMatchObject({ kind: "failed" });
});

test.each([true, false])("a unit is inspected without those that it requires (repairs: %s)", async (repairs) => {
  const lost = defineUnit<undefined>({ name: "lost", title: "Lost", plan: async () => refuse() });
  const { inspections } = await inspected(defineUnit({ name: "x", title: "X", repairs, requires: [lost], plan: async () => [] }));
  expect(inspections).toEqual([{ name: "x", kind: "fine", done: [], drift: [], retries: 0 }]);
});

test("a short wait is spent here, and counted; a long one is not", async () => {
  const busy = defineUnit<undefined>({
    name: "x",
    title: "X",
    repairs: true,
    retryFor: 3_600_000,
    plan: async () => {
      throw new ProblemError({ code: "test-problem", what: "busy" }, { retryable: true });
    },
  });
  const [inspection] = (await inspected(busy)).inspections;
  expect(inspection).toMatchObject({ kind: "failed", problem: { what: "busy" } });
  expect(inspection?.retries).toBeGreaterThan(2);
  expect(inspection?.retries).toBeLessThan(10);
});

test("a unit says when it wants to be inspected next", async () => {
  const unit = defineUnit<undefined>({ name: "x", title: "X", repairs: true, inspectEvery: async () => 3600, plan: async () => [] });
  expect((await inspected(unit)).inspections).toMatchObject([{ kind: "fine", again: 3600 }]);
});
