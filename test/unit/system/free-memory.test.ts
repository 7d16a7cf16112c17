import { expect, test } from "vitest";
import { freeMemory } from "../../../src/system/free-memory.ts";

test("what is no longer used is gone at once", () => {
  const garbage = new WeakRef(Array.from({ length: 1000 }, (_, index) => ({ index })));
  freeMemory();
  // Only what this very job has looked at stays (WeakRef's rule), and it has looked at nothing since.
  return new Promise<void>((resolve) => {
    setImmediate(() => {
      freeMemory();
      expect(garbage.deref()).toBeUndefined();
      resolve();
    });
  });
});
