import { expect, test } from "vitest";
import { parseRecord } from "../../../../src/boot/record/read-record.ts";
import { ProblemError } from "../../../../src/base/problem.ts";
import { EventScript } from "../../../support/record-events.ts";

const FILE = "/run/guestos-boot/record.jsonl";

function everything(): EventScript {
  const script = new EventScript([{ name: "var", requires: ["store-key"] }], { stage: "early" });
  const unit = script.unit(1, "var");
  const plan = script.start(1, { kind: "plan" }, unit);
  const tool = script.start(1, { kind: "tool", argv: ["cryptsetup", "isLuks"] }, plan);
  script.end(2, tool, { kind: "tool", ending: { kind: "exited", status: 1 }, stderr: "" });
  script.end(2, plan, { kind: "planned", actions: ["format it"] });
  const action = script.start(2, { kind: "action", description: "format it", effect: "provision" }, unit);
  script.note(2, action, "it was blank");
  const late = script.start(2, { kind: "tool", argv: ["mkfs.ext4"] }, action);
  script.end(3, late, { kind: "tool", ending: { kind: "timed-out", after: 1000 }, stderr: "busy" });
  script.end(3, action, { kind: "failed", problem: { code: "test-problem", what: "busy", where: { file: "/x", line: 1 }, todo: "wait" } });
  const retry = script.start(3, { kind: "retry", problem: { code: "test-problem", what: "busy" } }, unit);
  script.end(4, retry, { kind: "done" });
  script.ended(5, "var", { kind: "changed", provisioned: ["format it"], activated: [] });
  return script.finish(5, "done");
}

function text(...scripts: readonly EventScript[]): string {
  return scripts.flatMap(({ events }) => events.map((event) => `${JSON.stringify(event)}\n`)).join("");
}

test("every kind of event comes back as it was written", () => {
  const script = everything();
  const record = parseRecord(text(script, script), FILE);
  expect(record.events).toEqual([...script.events, ...script.events]);
  expect(record.runs).toHaveLength(2);
  expect(record.torn).toBe(false);
  expect(record.runs[0]).toMatchObject({
    end: { at: 5, outcome: "done" },
    units: [{ name: "var", startedAt: 1, endedAt: 5, notes: ["it was blank"] }],
  });
});

test("a unit that did all but a part is read back as one", () => {
  const result = { kind: "degraded", problem: { code: "test-problem", what: "a part" }, partial: true } as const;
  const script = new EventScript([{ name: "network" }]).ended(1, "network", result).finish(1, "degraded");
  expect(parseRecord(text(script), FILE).runs[0]?.units[0]?.result).toEqual(result);
});

test("a problem that a version without codes has recorded is read, and says so", () => {
  const result = { kind: "failed", problem: { code: "test-problem", what: "it broke" } } as const;
  const script = new EventScript([{ name: "network" }]).ended(1, "network", result).finish(1, "failed");
  const before = text(script).replace('"code":"test-problem",', "");
  expect(before).not.toContain("code");
  expect(parseRecord(before, FILE).runs[0]?.units[0]?.result).toEqual({
    kind: "failed",
    problem: { code: "code-not-recorded", what: "it broke" },
  });
});

test("a torn last line is said, and the rest is read", () => {
  const whole = text(everything());
  const { events, torn } = parseRecord(whole.slice(0, -20), FILE);
  expect(torn).toBe(true);
  expect(events).toEqual(everything().events.slice(0, -1));
});

test("an empty record has no runs", () => {
  expect(parseRecord("", FILE)).toEqual({ events: [], runs: [], torn: false });
});

test.each([
  ["half a line in the middle", (lines: string[]) => lines.with(3, lines[3]?.slice(0, 30) ?? ""), 4],
  ["a line that is no event", (lines: string[]) => lines.with(1, '{"event":"exploded","span":1,"at":2}'), 2],
  ["a wrong type", (lines: string[]) => lines.with(1, '{"event":"note","span":"one","at":2,"text":""}'), 2],
  ["an empty line", (lines: string[]) => lines.toSpliced(2, 0, ""), 3],
  ["an event before any run", (lines: string[]) => lines.slice(1), 1],
])("%s is damage, and the line is named", (_, damage, line) => {
  const lines = damage(text(everything()).trimEnd().split("\n"));
  expect(() => parseRecord(`${lines.join("\n")}\n`, FILE)).toThrow(ProblemError);
  try {
    parseRecord(`${lines.join("\n")}\n`, FILE);
  } catch (error) {
    expect(error).toMatchObject({ problem: { what: "the record is damaged", where: { file: FILE, line } } });
  }
});
