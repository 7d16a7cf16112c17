import { expect, test } from "vitest";
import type { Window } from "../../crash/crash-states.ts";
import type { LogEntry } from "../../crash/log-writes.ts";
import { evenly, keptAt, pointName, pointNamed } from "../../crash/points.ts";

const entry: LogEntry = { index: 0, offset: 0, length: 64 * 512, flush: false, fua: false, discard: false, dataAt: 512 };
const rich: Window = { durable: 0, end: 1, pending: [entry], forced: [] };
const bare: Window = { durable: 1, end: 2, pending: [], forced: [] };
const windows = Array.from({ length: 100 }, (_, n) => (n % 3 === 0 ? bare : rich));

const first = (count: number) => evenly(windows).take(count).toArray();

test("no point comes twice, and what has only one state is one point", () => {
  const points = first(2000);
  expect(new Set(points.map(pointName)).size).toBe(2000);
  expect(points.filter(({ window }) => windows[window] === bare).every(({ variant }) => variant === 0)).toBe(true);
});

test("however early it ends, the points are spread over the whole recording", () => {
  for (const count of [8, 16, 64]) {
    const places = first(count).map(({ window }) => window);
    const quarters = [0, 1, 2, 3].map((quarter) => places.filter((place) => Math.floor(place / 25) === quarter).length);
    expect(Math.min(...quarters), `${count} points: ${quarters.join(", ")}`).toBeGreaterThanOrEqual(count / 4 - 1);
  }
  expect(new Set(first(400).map(({ window }) => window)).size).toBe(100);
});

test("half of the points are torn, in either half of the recording, where there is something to tear", () => {
  for (const half of [first(100).filter(({ window }) => window < 50), first(100).filter(({ window }) => window >= 50)]) {
    const torn = half.filter(({ variant }) => variant > 1).length;
    expect(torn).toBeGreaterThan(12);
    expect(torn).toBeLessThan(38);
  }
});

test("a recording in which nothing is ever pending has one point for each window", () => {
  expect([...evenly([bare, bare, bare])].length).toBe(3);
});

test("what is kept depends on seed and point alone, and is nothing and all in the first two variants", () => {
  const kept = (window: number, variant: number, seed: number) => keptAt({ window, variant }, rich, seed);
  expect(kept(1, 0, 1)).toEqual([]);
  expect(kept(1, 1, 1).reduce((sum, { length }) => sum + length, 0)).toBe(entry.length);
  expect(kept(1, 2, 1)).toEqual(kept(1, 2, 1));
  const different = new Set([2, 3, 4, 5, 6, 7, 8, 9].map((variant) => JSON.stringify(kept(1, variant, 1))));
  expect(different.size).toBeGreaterThan(4);
  expect(new Set([1, 2, 3, 4, 5].map((seed) => JSON.stringify(kept(1, 2, seed)))).size).toBeGreaterThan(2);
});

test("a point is known by its name, and what is none is refused", () => {
  for (const point of first(20)) expect(pointNamed(pointName(point), windows)).toEqual(point);
  for (const name of ["", "1", "1.", "a.b", "100.0", "-1.0", "1.0.0"]) expect(() => pointNamed(name, windows)).toThrow("is no point");
});
