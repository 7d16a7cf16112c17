import { expect, test } from "vitest";
import { axisOver } from "../../../src/analyze/axis.ts";

test("moments lie on one scale, and ticks at round numbers", () => {
  const axis = axisOver([{ start: 10, end: 20 }], 100, 1000);
  expect(axis.x(10)).toBe(100);
  expect(axis.x(20)).toBe(1100);
  expect(axis.x(15)).toBe(600);
  expect(axis.ticks.map(({ seconds }) => seconds)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
});

test("a long pause between two runs is cut out, a short one is not", () => {
  const cut = axisOver(
    [
      { start: 0, end: 10 },
      { start: 3600, end: 3610 },
    ],
    0,
    1044,
  );
  expect(cut.cuts).toEqual([{ from: 500, to: 544, seconds: 3590 }]);
  expect(cut.x(3605)).toBe(794);
  const whole = axisOver(
    [
      { start: 0, end: 10 },
      { start: 10.5, end: 20 },
    ],
    0,
    1000,
  );
  expect(whole.cuts).toEqual([]);
  expect(whole.x(10.5)).toBe(525);
});

test("a run that no tick falls into says when it began, and one without length does no harm", () => {
  const axis = axisOver(
    [
      { start: 0, end: 100 },
      { start: 501.5, end: 502 },
    ],
    0,
    1000,
  );
  expect(axis.ticks.at(-1)?.seconds).toBe(501.5);
  expect(axisOver([{ start: 5, end: 5 }], 0, 100).x(5)).toBe(0);
  expect(axisOver([], 7, 100).x(5)).toBe(7);
});
