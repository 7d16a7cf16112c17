import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { freeMemory } from "../../../../src/system/processes/free-memory.ts";

test("what is no longer used is gone at once", async () => {
  const garbage = new WeakRef(Array.from({ length: 1000 }, (_, index) => ({ index })));
  // What a WeakRef was made for stays until the job that made it has ended.
  await nextTurn();
  expect(garbage.deref() === undefined).toBe(false);
  await nextTurn();
  freeMemory();
  expect(garbage.deref()).toBeUndefined();
});
