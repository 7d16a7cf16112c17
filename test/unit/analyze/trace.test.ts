import { expect, test } from "vitest";
import { traceDocument } from "../../../src/analyze/trace.ts";
import { EventScript } from "../../support/record-events.ts";
import { bootFrom, bootOfEvents, firstBoot } from "../../support/recorded-boots.ts";

test("slices of one thread lie inside each other or apart, as the format wants them", () => {
  const { traceEvents } = traceDocument(bootFrom(firstBoot));
  const slices = traceEvents.filter(({ ph }) => ph === "X");
  expect(slices.length).toBeGreaterThan(150);
  for (const thread of Map.groupBy(slices, ({ pid, tid }) => `${pid} ${tid}`).values()) {
    for (const one of thread) {
      for (const other of thread) {
        const [from, to, start, end] = [one.ts ?? 0, (one.ts ?? 0) + (one.dur ?? 0), other.ts ?? 0, (other.ts ?? 0) + (other.dur ?? 0)];
        expect(from < start && start < to && to < end, `${one.name} and ${other.name}`).toBe(false);
      }
    }
  }
  expect(Math.min(...slices.map(({ ts = 0, dur = 0 }) => Math.min(ts, dur)))).toBeGreaterThanOrEqual(0);
});

test("every thread has a name, and every arrow two ends", () => {
  const { traceEvents } = traceDocument(bootFrom(firstBoot));
  const named = new Set(traceEvents.filter(({ name }) => name === "thread_name").map(({ pid, tid }) => `${pid} ${tid}`));
  for (const { ph, pid, tid } of traceEvents) if (ph !== "M") expect(named).toContain(`${pid} ${tid}`);
  const ends = (phase: string): unknown => traceEvents.filter(({ ph }) => ph === phase).map(({ id }) => id);
  expect(ends("s")).toEqual(ends("f"));
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
