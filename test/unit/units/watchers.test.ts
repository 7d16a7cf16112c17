import { expect, test } from "vitest";
import { guestos } from "../../../src/units/guestos.ts";
import { upkeep } from "../../../src/units/upkeep.ts";
import { mendedAtAnyTime } from "../../../src/units/watchers.ts";

test("what is looked at when the monitor starts is what it may mend", () => {
  const mended = [...guestos, ...upkeep].filter(({ mends }) => mends).map(({ name }) => name);
  expect(mendedAtAnyTime.toSorted()).toEqual(mended.toSorted());
});

test("names of the monitor's own units are none of the chain's", () => {
  const names = [...guestos, ...upkeep].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
