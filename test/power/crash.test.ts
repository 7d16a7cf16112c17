import { expect, test, vi } from "vitest";
import { windowsOf } from "../crash/crash-states.ts";
import { Explorer } from "../crash/explorer.ts";
import { inspect } from "../crash/inspect.ts";
import { openWriteLog } from "../crash/log-writes.ts";
import { evenly, pointName } from "../crash/points.ts";
import { firstBoot } from "../crash/recording.ts";
import { BOOT_TIMEOUT } from "../vm/support/node.ts";

/** A sample of `make test-crash`: the power is cut at a few points of a first boot, each of them whole or torn. */

const SEED = Number(process.env["SEED"] ?? "1");
const LOOKS = 100;
const BOOTS = 3;
vi.setConfig({ testTimeout: (BOOTS + 2) * BOOT_TIMEOUT });

test("what a power cut leaves on the disk is nothing that a boot must not find", async ({ annotate }) => {
  const recording = await firstBoot(console.log);
  using log = openWriteLog(recording.log);
  const points = evenly(windowsOf(log.entries)).take(LOOKS).toArray();
  const bad = (await Array.fromAsync(inspect("crash-look", recording, log, points, SEED))).filter(({ faults }) => faults.length > 0);
  await annotate(`${points.length} points looked at`);
  expect(bad).toEqual([]);
});

test("after a power cut at any of these points, the next boot ends in the state of an undisturbed node", async ({ annotate }) => {
  const recording = await firstBoot(console.log);
  using log = openWriteLog(recording.log);
  await using explorer = new Explorer("crash-sample", recording, log, SEED);
  // The first one is the blank disk. Then: the middle, torn; a quarter; three quarters, torn.
  const points = evenly(explorer.windows).drop(1).take(BOOTS).toArray();
  for (const point of points.toSorted((one, two) => one.window - two.window)) {
    const { durable, seconds, redone, faults } = await explorer.explore(point);
    await annotate(`${pointName(point)}: ${durable} entries durable, ${redone.length} actions redone, ${seconds.boot} s`);
    expect(faults, `again: make test-crash POINT=${pointName(point)}`).toEqual([]);
  }
});
