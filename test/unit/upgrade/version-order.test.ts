import { expect, test } from "vitest";
import { versionOrder } from "../../../src/upgrade/version-order.ts";

test.each([
  ["1.0.1", "1.0.0", "newer"],
  ["1.10.0", "1.9.9", "newer"],
  ["v2", "1.9", "newer"],
  ["1.0.0", "1.0.0", "same"],
  ["1.0", "1.0.0", "same"],
  ["1.0.0+build2", "1.0.0+build1", "same"],
  ["1.0.0", "1.0.0-rc.1", "newer"],
  ["1.0.0-rc.2", "1.0.0-rc.10", "older"],
  ["1.0.0-rc.1.1", "1.0.0-rc.1", "newer"],
  ["1.0.0-alpha", "1.0.0-1", "newer"],
  ["0.9", "1.0", "older"],
  ["8d2c4e1f00aa", "8d2c4e1f00ab", "unknown"],
  ["8d2c4e1f00aa", "8d2c4e1f00aa", "same"],
  ["1.0.0", "8d2c4e1f00aa", "unknown"],
  ["1234567890123456789012345678901234567890", "1.0", "unknown"],
] as const)("the version %s is, beside %s, %s", (image, running, order) => {
  expect(versionOrder(image, running)).toBe(order);
});
