import { expect, test } from "vitest";
import type { UnitResult } from "../../../src/boot/record/record.ts";
import { EventScript } from "../../support/record-events.ts";
import { orderFaults } from "../../crash/orders.ts";

const changed: UnitResult = { kind: "changed", provisioned: ["make it"], activated: [] };
const unchanged: UnitResult = { kind: "unchanged", activated: ["start it"] };

/** What an operator's run of a unit writes, with a unit that it requires. */
function run(name: string, required?: string): EventScript {
  const prerequisites = required === undefined ? [] : [{ name: required, prerequisite: true }];
  return new EventScript([...prerequisites, { name }]).ended(1, name, changed).finish(2, "done");
}

function boot(result: UnitResult): EventScript {
  return new EventScript([{ name: "one" }, { name: "two" }], { stage: "boot" })
    .ended(1, "one", unchanged)
    .ended(1, "two", result)
    .finish(2, "done");
}

const record = (...runs: readonly EventScript[]): string =>
  runs.flatMap(({ events }) => events.map((event) => `${JSON.stringify(event)}\n`)).join("");

test("units that ran in their order, and a boot that found nothing to do, have no fault", () => {
  expect(orderFaults(record(run("one"), run("two", "one"), boot(unchanged)), ["one", "two"])).toEqual([]);
});

test("another order, and a unit that did not run, are faults", () => {
  const left = ["the units ran in the order one"];
  expect(orderFaults(record(run("two"), run("one"), boot(unchanged)), ["one", "two"])).toEqual(["the units ran in the order two one"]);
  expect(orderFaults(record(run("one"), boot(unchanged)), ["one", "two"])).toEqual(left);
});

test("a boot that still had something to do is a fault, and so is one that left no record", () => {
  expect(orderFaults(record(run("one"), run("two"), boot(changed)), ["one", "two"])).toEqual(["two still had something to do"]);
  expect(orderFaults("", [])).toEqual(["everything still had something to do"]);
});
