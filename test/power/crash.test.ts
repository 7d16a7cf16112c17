import { expect, test, vi } from "vitest";
import { Explorer } from "../crash/explorer.ts";
import { inspect } from "../crash/inspect.ts";
import { evenly, pointName } from "../crash/points.ts";
import { windowsIn } from "../crash/replay.ts";
import { type SubjectName, subjects } from "../crash/subjects.ts";
import { BOOT_TIMEOUT } from "../vm/support/node.ts";

/** A sample of `make test-crash`: the power is cut at a few points of a first boot and of an upgrade, each of them whole or torn. */

const SEED = Number(process.env["SEED"] ?? "1");
const LOOKS = 100;
const BOOTS: Readonly<Record<SubjectName, number>> = { "first-boot": 3, "upgrade-install": 2, "upgrade-trial": 2 };
vi.setConfig({ testTimeout: 8 * BOOT_TIMEOUT });
const names = Object.keys(subjects) as SubjectName[];

test.for(names)("%s: what a power cut leaves on the disk is nothing that a boot must not find", async (name, { annotate }) => {
  using subject = await subjects[name](console.log);
  const points = evenly(windowsIn(subject.recording, subject.log)).take(LOOKS).toArray();
  const found = await Array.fromAsync(inspect("crash-look", { ...subject, look: await subject.look("crash-look") }, points, SEED));
  await annotate(`${found.length} points looked at`);
  expect(found.length).toBe(points.length);
  expect(found.filter(({ faults }) => faults.length > 0)).toEqual([]);
});

test.for(names)(
  "%s: after a power cut at any of these points, the next boot ends in the state of an undisturbed node",
  async (name, { annotate }) => {
    using subject = await subjects[name](console.log);
    await using explorer = new Explorer("crash-sample", { ...subject, judge: await subject.judge() }, SEED);
    // The first one is the disk as it was before. Then: the middle, torn; a quarter; three quarters, torn.
    const points = evenly(windowsIn(subject.recording, subject.log)).drop(1).take(BOOTS[name]).toArray();
    for (const point of points.toSorted((one, two) => one.window - two.window)) {
      const { durable, seconds, redone, outcome = "", faults } = await explorer.explore(point);
      await annotate(`${pointName(point)}: ${durable} entries durable, ${redone.length} actions redone, ${seconds.boot} s ${outcome}`);
      expect(faults, `again: make test-crash RECORDING=${name} POINT=${pointName(point)} SEED=${SEED}`).toEqual([]);
    }
  },
);
