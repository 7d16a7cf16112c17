import { expect, test } from "vitest";
import { freePorts } from "../../../vm/ports.ts";

test("ports of a machine are free, and no two of them the same", async () => {
  const ports = await freePorts(500);
  expect(new Set(ports).size).toBe(500);
  expect(Math.min(...ports)).toBeGreaterThan(0);
});
