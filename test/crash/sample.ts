import { expect, test } from "vitest";
import { Explorer } from "./explorer.ts";
import { inspect } from "./inspect.ts";
import { evenly, pointName } from "./points.ts";
import { windowsIn } from "./replay.ts";
import { type SubjectName, subjects } from "./subjects.ts";

const SEED = Number(process.env["SEED"] ?? "1");

/** Tests on a part of what `make test-crash` does with a recording: so many points are inspected, so many of them are booted. */
export function crashSample(name: SubjectName, { inspections, boots }: { readonly inspections: number; readonly boots: number }): void {
  crashInspections(name, inspections);
  test(`${name}: after a power cut, whole or torn, the next boot ends in the state of an undisturbed node`, async ({ annotate }) => {
    using subject = await subjects[name](console.log);
    await using explorer = new Explorer("crash-sample", { ...subject, judge: await subject.judge() }, SEED);
    // The first one is the disk as it was before. Then: the middle, torn; a quarter; three quarters, torn.
    const points = evenly(windowsIn(subject.recording, subject.log)).drop(1).take(boots).toArray();
    for (const point of points.toSorted((one, two) => one.window - two.window)) {
      const { durable, seconds, redone, outcome = "", faults } = await explorer.explore(point);
      await annotate(`${pointName(point)}: ${durable} entries durable, ${redone.length} actions redone, ${seconds.boot} s ${outcome}`);
      expect(faults, `again: make test-crash RECORDING=${name} POINT=${pointName(point)} SEED=${SEED}`).toEqual([]);
    }
  });
}

/** The first half of it: so many points are inspected, and none is booted. */
export function crashInspections(name: SubjectName, inspections: number): void {
  test(`${name}: what a power cut leaves on the disk is nothing that a boot must not find`, async ({ annotate }) => {
    using subject = await subjects[name](console.log);
    const points = evenly(windowsIn(subject.recording, subject.log)).take(inspections).toArray();
    const found = await Array.fromAsync(
      inspect("crash-inspection", { ...subject, inspection: await subject.inspection("crash-inspection") }, points, SEED),
    );
    await annotate(`${found.length} points inspected`);
    expect(found.length).toBe(points.length);
    expect(found.filter(({ faults }) => faults.length > 0)).toEqual([]);
  });
}
