import { expect, test } from "vitest";
import { phasesOf } from "../../../src/analyze/phases.ts";
import { bootRuns, timelineOf } from "../../../src/analyze/timeline.ts";
import { EventScript } from "../../support/record-events.ts";

function stages(): ReturnType<typeof timelineOf> {
  const early = new EventScript([], { stage: "early", at: 10 }).finish(20, "done").events;
  const late = new EventScript([], { stage: "late", at: 26 }).finish(30, "done").events;
  return bootRuns(timelineOf([...early, ...late]));
}

const rows = (phases: ReturnType<typeof phasesOf>): unknown => phases.map(({ kind, start, end }) => [kind, start, end]);

test("a boot is cut at every clock that is known, from power-on to the end", () => {
  const phases = phasesOf(stages(), {
    firmware: 5,
    loader: 2,
    initrd: 3,
    userspace: 6,
    finished: 40,
    services: { "guestos-boot.service": { started: 9, ended: 21 }, "guestos-boot-late.service": { started: 24, ended: 31 } },
  });
  expect(rows(phases)).toEqual([
    ["firmware", -5, -2],
    ["loader", -2, 0],
    ["kernel", 0, 3],
    ["initrd", 3, 6],
    ["system", 6, 9],
    ["program", 9, 10],
    ["chain", 10, 20],
    ["program", 20, 21],
    ["system", 21, 24],
    ["program", 24, 26],
    ["chain", 26, 30],
    ["program", 30, 31],
    ["system", 31, 40],
  ]);
});

test("a service that started while an operator ran the chain waited for the lock", () => {
  const runs = stages();
  const byHand = timelineOf(new EventScript([], { at: 21 }).finish(25, "done").events);
  const clocks = { userspace: 6, services: { "guestos-boot-late.service": { started: 22 } } };
  expect(rows(phasesOf(runs, clocks, [...runs, ...byHand]))).toEqual([
    ["kernel", 0, 6],
    ["system", 6, 10],
    ["chain", 10, 20],
    ["system", 20, 22],
    ["lock", 22, 25],
    ["program", 25, 26],
    ["chain", 26, 30],
  ]);
});

test("without clocks, and for a stage that ran again long after, the record alone counts", () => {
  expect(rows(phasesOf(stages(), undefined))).toEqual([
    ["chain", 10, 20],
    ["system", 20, 26],
    ["chain", 26, 30],
  ]);
  // The service's times are those of its last run, in the afternoon.
  const again = { userspace: 6, finished: 40, services: { "guestos-boot.service": { started: 9000, ended: 9010 } } };
  expect(rows(phasesOf(stages(), again))).toContainEqual(["system", 6, 10]);
});
