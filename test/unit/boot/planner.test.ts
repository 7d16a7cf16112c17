import { expect, test } from "vitest";
import { planUnits } from "../../../src/boot/planner.ts";
import { activate, conflict, defineUnit, type Plan, provision, type Unit } from "../../../src/boot/unit.ts";
import { ProblemError } from "../../../src/base/problem.ts";

interface Nothing {}

const acted: string[] = [];
const act =
  (name: string): (() => Promise<void>) =>
  async () =>
    void acted.push(name);

function simple(
  name: string,
  requires: readonly Unit<Nothing>[],
  plan: () => Promise<Plan> | Plan,
  extra: Partial<Unit<Nothing>> = {},
): Unit<Nothing> {
  return defineUnit<Nothing>({ name, title: name, requires, plan: async () => plan(), ...extra });
}

async function previews(units: readonly Unit<Nothing>[], signal = new AbortController().signal): Promise<object> {
  const facts = { bootId: "", version: "", slot: undefined, pid: 1, stage: undefined };
  return Object.fromEntries(await planUnits(units, { machine: () => ({}), facts, sink: () => undefined, signal }));
}

test("what depends on something that is to be done is planned later, and nothing is done", async () => {
  const holds = simple("holds", [], () => []);
  const missing = simple("missing", [holds], () => [provision("make it", act("make")), activate("use it", act("use"))]);
  let inspected = false;
  const behind = simple("behind", [missing, holds], () => {
    inspected = true;
    return [];
  });
  const farBehind = simple("far-behind", [behind], () => []);
  const beside = simple("beside", [holds], () => []);
  expect(await previews([holds, missing, behind, farBehind, beside])).toEqual({
    holds: { kind: "nothing" },
    missing: {
      kind: "to-do",
      actions: [
        { description: "make it", effect: "provision" },
        { description: "use it", effect: "activate" },
      ],
    },
    behind: { kind: "later", once: ["missing"] },
    "far-behind": { kind: "later", once: ["behind"] },
    beside: { kind: "nothing" },
  });
  expect(acted).toEqual([]);
  expect(inspected).toBe(false);
});

test("a conflict, an error, and what requires them", async () => {
  const broken = simple("broken", [], () => conflict({ code: "test-problem", what: "in the way" }));
  const blind = simple(
    "blind",
    [],
    () => {
      throw new ProblemError({ code: "test-problem", what: "cannot inspect" });
    },
    { onFailure: "degrade" },
  );
  const missing = simple("missing", [], () => [provision("make it", act("make"))]);
  const behind = simple("behind", [broken, missing], () => []);
  const farBehind = simple("far-behind", [behind], () => []);
  const afterBlind = simple("after-blind", [blind], () => []);
  expect(await previews([broken, blind, missing, behind, farBehind, afterBlind])).toMatchObject({
    broken: { kind: "problem", problem: { what: "in the way" } },
    blind: { kind: "problem", problem: { what: "cannot inspect" } },
    behind: { kind: "blocked", because: ["broken"] },
    "far-behind": { kind: "blocked", because: ["behind"] },
    "after-blind": { kind: "blocked", because: ["blind"] },
  });
});

test("order alone holds nothing up", async () => {
  const missing = simple("missing", [], () => [provision("make it", act("make"))]);
  const follower = simple("follower", [], () => [], { after: [missing] });
  expect(await previews([missing, follower])).toMatchObject({ follower: { kind: "nothing" } });
});

test("a planning that is stopped says what it did not inspect", async () => {
  const unit = simple("unit", [], () => []);
  expect(await previews([unit], AbortSignal.abort())).toEqual({ unit: { kind: "stopped" } });
});

test("what a unit may retry in a run, it may retry here", async () => {
  let tries = 0;
  const racy = simple(
    "racy",
    [],
    () => {
      tries += 1;
      if (tries === 1) throw new ProblemError({ code: "test-problem", what: "not yet" }, { retryable: true });
      return [];
    },
    { retryFor: 5000 },
  );
  expect(await previews([racy])).toEqual({ racy: { kind: "nothing" } });
});
