import { expect, test } from "vitest";
import { pause } from "../../../src/base/clock.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

test("a pause ends when its time is over, and says so", async () => {
  const clock = new VirtualClock();
  expect(await pause(clock, 5000)).toBe(true);
  expect(clock.now()).toBe(5);
});

test.each([
  ["before it began", 0],
  ["meanwhile", 1000],
])("a pause ends when it is called off %s, and says so", async (_, after) => {
  const clock = new VirtualClock();
  const controller = new AbortController();
  if (after === 0) controller.abort();
  else clock.after(after, () => controller.abort());
  expect(await pause(clock, 5000, controller.signal)).toBe(false);
  expect(clock.now()).toBeLessThan(1.1);
});
