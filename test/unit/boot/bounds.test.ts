import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { longestPath } from "../../../src/boot/bounds.ts";
import { defineUnit, type Unit } from "../../../src/boot/unit.ts";
import { bootOrder, stagesOf } from "../../../src/run/stages.ts";
import { boundary, guestos } from "../../support/chains.ts";

type Any = Unit<object>;
const unit = (name: string, timeout: number, extra: Partial<Any> = {}): Any =>
  defineUnit<object>({ name, title: name, timeout, plan: async () => [], ...extra });

test("it is the path with the largest sum, whether units are required or only come first, with a grace for each", () => {
  const slow = unit("slow", 50_000);
  const quick = unit("quick", 1_000);
  const second = unit("second", 20_000, { requires: [quick] });
  const third = unit("third", 40_000, { after: [second] });
  const last = unit("last", 2_000, { requires: [slow], after: [third] });
  const { seconds, units } = longestPath([last, slow, quick, second, third]);
  expect(units).toEqual([quick, second, third, last]);
  expect(seconds).toBe(1 + 20 + 40 + 2 + 4 * 4);
  expect(longestPath([slow, quick, second])).toEqual({ seconds: 54, units: [slow] });
  expect(longestPath([])).toEqual({ seconds: 0, units: [] });
});

/** Seconds of a time span in a unit file, systemd.time(7). */
function limit(file: string, name: string): number {
  const text = readFileSync(`etc/common/systemd/system/${file}`, "utf8");
  const [, number, span] = new RegExp(`^${name}=(\\d+)(h|min|s)$`, "m").exec(text) ?? [];
  return Number(number) * { h: 3600, min: 60, s: 1 }[span as "h" | "min" | "s"];
}

test.each([
  ["guestos", guestos],
  ["boundary", boundary],
])("systemd ends a run of %s only when it has taken longer than its units may", (_, chain) => {
  const stageOf = stagesOf(chain);
  const [early, late] = (["early", "late"] as const).map((stage) => longestPath(chain.filter((one) => stageOf(one) === stage)).seconds);
  const [, lock] = /^ExecStart=.* --wait (\d+)$/m.exec(readFileSync("etc/common/systemd/system/guestos-boot.service", "utf8")) ?? [];
  const start = limit("guestos-boot.service", "TimeoutStartSec");
  const runtime = limit("guestos-boot.service", "RuntimeMaxSec");
  expect(start).toBeGreaterThan(Number(lock) + (early ?? Infinity));
  expect(runtime).toBeGreaterThan(late ?? Infinity);
  expect(limit("guestos-boot-late.service", "TimeoutStartSec")).toBeGreaterThan(runtime);
  expect(longestPath(bootOrder(chain)).seconds).toBeGreaterThanOrEqual(early ?? Infinity);
});
