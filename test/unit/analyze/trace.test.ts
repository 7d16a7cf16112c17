import { expect, test } from "vitest";
import { traceDocument, type TraceEvent } from "../../../src/analyze/trace.ts";
import { largeBoot } from "../../support/large-boot.ts";
import { EventScript } from "../../support/record-events.ts";
import { bootFrom, bootOfEvents, firstBoot, noOpBoot } from "../../support/recorded-boots.ts";
import { traceFaults } from "../../support/trace-faults.ts";

/** By the rules of its importer; docs/analyze.md tells of the time that the importer itself was asked. */
const boots = [
  ["a first boot", bootFrom(firstBoot), 150],
  ["a boot with nothing to do", bootFrom(noOpBoot), 100],
  ["a boot of 200 units", bootOfEvents(largeBoot(200).events), 400],
] as const;

test.each(boots)("Perfetto finds nothing wrong with the trace of %s", (_, boot, slices) => {
  const { traceEvents } = traceDocument(boot);
  const count = (kind: string): number => traceEvents.filter(({ ph }) => ph === kind).length;
  expect(count("X")).toBeGreaterThan(slices);
  expect(count("s")).toBeGreaterThan(0);
  expect(traceFaults(traceEvents)).toEqual([]);
});

test("a trace with a fault of each kind would be found", () => {
  const at = { pid: 1, tid: 1, name: "it" };
  const names = [
    { ph: "M", pid: 1, tid: 0, name: "process_name", args: { name: "all" } },
    { ph: "M", pid: 1, tid: 1, name: "thread_name", args: { name: "one" } },
  ] as const;
  const slice = (ts: number, dur: number): TraceEvent => ({ ...at, ph: "X", ts, dur });
  const arrow = (ph: "s" | "f", ts: number, id = 1): TraceEvent => ({ ...at, ph, ts, id, ...(ph === "f" ? { bp: "e" } : {}) });
  const faults = (...events: readonly TraceEvent[]): string => traceFaults([...names, ...events]).join("\n");
  expect(faults(slice(0, 9), slice(0, 4), slice(4, 5), arrow("s", 8), slice(9, 1), arrow("f", 9))).toBe("");
  expect(faults(slice(0, 5), slice(3, 5))).toContain('overlaps "it"');
  expect(faults(slice(0, 4), slice(0, 5))).toContain('overlaps "it"');
  expect(faults(slice(-1, 5))).toContain("no time: -1");
  expect(faults({ ...at, ph: "X", ts: 1 })).toContain("no length");
  expect(faults(slice(0, 0.5))).toContain("no length: 0.5");
  expect(faults({ ...slice(0, 1), tid: 2 })).toContain("its thread or process has no name");
  expect(faults({ ph: "M", pid: 1, tid: 1, name: "thread_name", args: { name: "" } })).toContain("a thread_name without a name");
  expect(faults(slice(0, 5), arrow("s", 1))).toContain("an arrow without an end");
  expect(faults(slice(0, 5), arrow("f", 1))).toContain("ends before it begins");
  expect(faults(slice(0, 5), arrow("s", 7), slice(8, 1), arrow("f", 8))).toContain("hangs on nothing");
  expect(faults(slice(0, 5), arrow("s", 1), { ...at, ph: "f", ts: 2, id: 1 })).toContain("points to what comes next");
  expect(faults(slice(0, 5), { ...at, ph: "s", ts: 1 })).toContain("without an id");
});

test("tools that ran at once are on threads of their own, and what the firmware did is not before zero", () => {
  const script = new EventScript([{ name: "a" }], { stage: "early", at: 1 });
  const unit = script.unit(1, "a");
  const action = script.start(1, { kind: "action", description: "do it", effect: "provision" }, unit);
  const one = script.start(1, { kind: "tool", argv: ["one"] }, action);
  const two = script.start(2, { kind: "tool", argv: ["two"] }, action);
  const ended = { kind: "tool", ending: { kind: "exited", status: 0 }, stderr: "" } as const;
  script.end(3, one, ended);
  script.end(4, two, ended);
  script.end(4, action, { kind: "done" });
  script.ended(4, "a", { kind: "unchanged", activated: [] });
  const { traceEvents } = traceDocument(bootOfEvents(script.finish(4, "done").events, { firmware: 3, userspace: 0.5, services: {} }));
  const threadOf = (name: string): number | undefined => traceEvents.find((event) => event.name === name)?.tid;
  expect(threadOf("one")).toBe(threadOf("do it"));
  expect(threadOf("two")).not.toBe(threadOf("do it"));
  expect(traceEvents.find(({ name }) => name === "firmware")).toMatchObject({ ts: 0, dur: 3_000_000 });
});
