import { expect, test } from "vitest";
import { type LogLine, logSink } from "../../../../src/boot/show/log-lines.ts";
import { EventScript } from "../../../support/record-events.ts";

function linesOf(script: EventScript): readonly LogLine[] {
  const lines: LogLine[] = [];
  const sink = logSink((line) => lines.push(line));
  for (const event of script.events) sink(event);
  return lines;
}

test("a run's start, what was done, how its units ended and its end are a line each, with unit and action as fields", () => {
  const script = new EventScript([{ name: "var" }], { stage: "early" });
  const unit = script.unit(0, "var");
  const plan = script.start(0, { kind: "plan" }, unit);
  script.end(0.5, plan, { kind: "planned", actions: ["format /dev/vda6"] });
  const action = script.start(0.5, { kind: "action", description: "format /dev/vda6", effect: "provision" }, unit);
  const tool = script.start(0.6, { kind: "tool", argv: ["mkfs.ext4", "/dev/vda6"] }, action);
  script.end(0.9, tool, { kind: "tool", ending: { kind: "exited", status: 0 }, stderr: "" });
  script.end(1, action, { kind: "done" });
  script.ended(1.5, "var", { kind: "changed", provisioned: ["format /dev/vda6"], activated: [] }).finish(2, "done");
  const [begun, done, ended, summary, ...others] = linesOf(script);
  expect(others).toEqual([]);
  expect(begun).toMatchObject({
    level: "info",
    message: "early: started, version 1.2.3, slot A",
    fields: { event: "run-started", slot: "A" },
  });
  expect(done).toEqual({
    level: "info",
    message: "var: format /dev/vda6",
    fields: { event: "action", stage: "early", unit: "var", action: "format /dev/vda6", effect: "provision" },
  });
  expect(ended).toEqual({
    level: "info",
    message: "var                  changed   1.50 s — 1 provisioned",
    fields: { event: "unit", stage: "early", unit: "var", outcome: "changed", seconds: 1.5 },
  });
  expect(summary).toMatchObject({ level: "info", fields: { event: "run-ended", outcome: "done", seconds: 2 } });
});

test("what an action that failed was for is told by the unit's ending alone", () => {
  const script = new EventScript([{ name: "var" }]);
  const unit = script.unit(0, "var");
  const problem = { code: "test-problem", what: "no such device", todo: "check it" };
  const action = script.start(0, { kind: "action", description: "format /dev/vda6", effect: "provision" }, unit);
  script.end(1, action, { kind: "failed", problem });
  script.ended(1, "var", { kind: "failed", problem });
  const lines = linesOf(script).slice(1);
  expect(lines.map(({ level, message }) => [level, message])).toEqual([
    ["error", "var                  failed    1.00 s — no such device\n  to do    check it"],
  ]);
  expect(lines.map(({ fields }) => fields["code"])).toEqual(["test-problem"]);
});

test("levels say how bad it is: skipped and retried are no failures of their own, a note is no warning", () => {
  const script = new EventScript([{ name: "one" }, { name: "two" }, { name: "three" }]);
  const one = script.unit(0, "one");
  for (let tries = 0; tries < 3; tries++) script.start(0, { kind: "retry", problem: { code: "test-problem", what: "device busy" } }, one);
  script.note(0, one, "entry\nignored");
  script.ended(1, "one", { kind: "degraded", problem: { code: "test-problem", what: "no host" } });
  script.ended(1, "two", { kind: "skipped", because: ["one"] });
  script.ended(1, "three", { kind: "unchanged", activated: [] });
  script.finish(1, "degraded");
  expect(
    linesOf(script)
      .slice(1)
      .map(({ level, fields, message }) => [level, fields["event"], message.split("\n")[0]]),
  ).toEqual([
    ["notice", "retry", "one: will be retried: device busy"],
    ["notice", "note", "note from one: entry ignored"],
    ["warn", "unit", "one                  degraded  1.00 s — no host"],
    ["notice", "unit", "two                  skipped   0.00 s — requires one"],
    ["info", "unit", "three                unchanged 0.00 s"],
    ["warn", "run-ended", "run: 3 units: 0 changed, 1 unchanged, 1 degraded, 0 failed, 1 skipped in 1.0 s"],
  ]);
});

test("a unit that is there only because another one requires it is told of only when something was done for it", () => {
  const script = new EventScript([
    { name: "idle", prerequisite: true },
    { name: "busy", prerequisite: true },
  ]);
  script.ended(1, "idle", { kind: "unchanged", activated: [] });
  script.ended(1, "busy", { kind: "unchanged", activated: ["mount it"] });
  expect(linesOf(script).map(({ fields }) => fields["unit"])).toEqual([undefined, "busy"]);
});
