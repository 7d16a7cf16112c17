import { expect, test } from "vitest";
import { defineUnit, type Unit } from "../../../src/boot/unit.ts";
import { bootOrder, stagesOf } from "../../../src/run/stages.ts";
import { guestos } from "../../support/chains.ts";

type Any = Unit<object>;
const unit = (name: string, extra: Partial<Any> = {}): Any => defineUnit<object>({ name, title: name, plan: async () => [], ...extra });

const bus = unit("system-bus");
const disk = unit("disk");
const mount = unit("mount", { requires: [disk] });
const service = unit("service", { requires: [disk, bus] });
const last = unit("last", { after: [service] });
const chain = [last, bus, disk, mount, service];

test("what waits for the bus is late, also in order alone, and the rest is early", () => {
  const stageOf = stagesOf(chain);
  expect(chain.map((one) => `${one.name} ${stageOf(one)}`)).toEqual([
    "last late",
    "system-bus late",
    "disk early",
    "mount early",
    "service late",
  ]);
  const without = stagesOf([disk, mount]);
  expect([disk, mount].map(without)).toEqual(["early", "early"]);
});

test("in a boot the wait for the bus begins when all has ended that comes before it, and nothing else is changed", () => {
  const units = bootOrder(chain);
  const [movedLast, movedBus, sameDisk, sameMount, movedService] = units;
  expect([sameDisk, sameMount]).toEqual([disk, mount]);
  expect(movedBus).toEqual({ ...bus, after: [disk, mount] });
  expect(movedService?.requires).toEqual([disk, movedBus]);
  // The very same units: a copy would be one that no one runs.
  expect(movedService?.requires.map((one) => units.indexOf(one))).toEqual([2, 1]);
  expect(movedLast?.after.map((one) => units.indexOf(one))).toEqual([4]);
});

test("it is the same for the chain of a node: each unit once, by the same names", () => {
  const units = bootOrder(guestos);
  expect(units.map(({ name }) => name)).toEqual(guestos.map(({ name }) => name));
  for (const { name, requires, after } of units)
    for (const before of [...requires, ...after]) expect(units.includes(before), `${before.name}, before ${name}`).toBe(true);
});
