import { expect, test } from "vitest";
import type { UnitView } from "../../../src/boot/record/run-view.ts";
import { criticalPath } from "../../../src/metrics/critical-path.ts";

function unit(
  name: string,
  [startedAt, endedAt]: readonly [number, number],
  requires: readonly string[] = [],
  after?: readonly string[],
): UnitView {
  return {
    name,
    requires,
    prerequisite: false,
    onFailure: "stop",
    notes: [],
    startedAt,
    endedAt,
    ...(after === undefined ? {} : { after }),
  };
}

test("it is the unit that ended last, and what each waited for longest", () => {
  const units = [unit("a", [0, 1]), unit("b", [0, 4]), unit("c", [4, 6], ["a", "b"]), unit("d", [1, 5], ["a"])];
  expect(criticalPath(units)).toEqual([
    { name: "b", seconds: 4 },
    { name: "c", seconds: 2 },
  ]);
});

test("order alone counts as well, and names that are not part of the run do not", () => {
  const units = [unit("a", [0, 3]), unit("b", [3, 4], ["gone"], ["a"])];
  expect(criticalPath(units).map(({ name }) => name)).toEqual(["a", "b"]);
});

test("a record in which units wait for each other, or for themselves, leads in no circle", () => {
  const units = [unit("a", [0, 3], ["b"]), unit("b", [1, 4], ["a", "b"])];
  expect(criticalPath(units).map(({ name }) => name)).toEqual(["b"]);
});

test("nothing has ended: there is no path", () => {
  const { endedAt: _, ...running } = unit("a", [0, 0]);
  expect(criticalPath([running])).toEqual([]);
});
