import { expect, test } from "vitest";
import { withoutOldMonitorRuns } from "../../../src/monitor/monitor-record.ts";

function run(name: string, monitor: boolean): string {
  const facts = { bootId: "b", version: "1", pid: 1, ...(monitor ? { monitor: true } : {}) };
  const events = [
    { event: "run-started", span: 1, run: facts, name },
    { event: "note", text: 'says "monitor":true' },
    { event: "run-ended" },
  ];
  return events.map((event) => `${JSON.stringify(event)}\n`).join("");
}

test("the newest runs of the monitor are kept, and all that a boot or an operator did", () => {
  const runs = [run("early", false), run("m1", true), run("operator", false), run("m2", true), run("m3", true)];
  const size = Buffer.byteLength(runs[3] ?? "");
  const kept = [runs[0], runs[2], runs[3], runs[4]].join("");
  expect(withoutOldMonitorRuns(runs.join(""), 2 * size + 1)).toBe(kept);
  expect(withoutOldMonitorRuns(runs.join(""), 5 * size)).toBe(runs.join(""));
  expect(withoutOldMonitorRuns(runs.join(""), 0)).toBe([runs[0], runs[2]].join(""));
});

test("one that is too large does not bring back an older one", () => {
  const runs = [run("m1", true), run("x".repeat(5000), true), run("m3", true)];
  expect(withoutOldMonitorRuns(runs.join(""), 1000)).toBe(runs[2]);
});

test("what a line is, its fields say: not their order, nor what else they hold", () => {
  const note = `${JSON.stringify({ event: "note", text: "x" })}\n`;
  const operator = `${JSON.stringify({ event: "run-started", run: { bootId: "b" }, units: [{ monitor: true }] })}\n${note}`;
  const monitor = `${JSON.stringify({ run: { monitor: true }, event: "run-started" })}\n${note}`;
  expect(withoutOldMonitorRuns(monitor + operator + monitor, 0)).toBe(operator);
});

test("a line that cannot be read stays with its run", () => {
  const kept = `{"event":"run-sta\n${run("operator", false)}half a li\n`;
  expect(withoutOldMonitorRuns(`${kept}${run("m1", true)}\0\0\n`, 0)).toBe(kept);
});
