import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { afterEnd, afterFailedStart, afterLooking, decide, FRESH, LOOP, type Memory, type Seen, TRIAL } from "../../../src/guest/decide.ts";
import type { MachineState } from "../../../src/system/hypervisor/hypervisor.ts";

const seen = (state: MachineState): Seen => ({ kind: "machine", state });
const unknown: Seen = { kind: "unknown", problem: { code: "tool-failed", what: "no answer" } };
const started = (over: Partial<Memory["started"]> = {}): Memory => ({ ...FRESH, started: { at: 100, slot: "A", onTrial: false, ...over } });

describe("what follows from a look", () => {
  test.each([
    ["absent", FRESH, "start"],
    ["absent", { ...FRESH, notBefore: 101 }, "wait"],
    ["absent", { ...FRESH, notBefore: 100 }, "start"],
    ["crashed", started(), "clear"],
    ["shut off", FRESH, "clear"],
    ["paused", started({ onTrial: true, at: -10_000 }), "wait"],
    ["running", FRESH, "wait"],
    ["running", started(), "wait"],
    ["running", started({ at: 100 - TRIAL }), "wait"],
    ["running", started({ onTrial: true, at: 101 - TRIAL }), "wait"],
    ["running", started({ onTrial: true, at: 100 - TRIAL }), "give up"],
  ] as const)("%s, %j: %s", (state, memory, kind) => {
    expect(decide(seen(state), memory, "nothing", 100)).toEqual({ kind });
  });

  test("what a guest says matters on trial alone", () => {
    const onTrial = started({ onTrial: true, at: -10_000 });
    expect(decide(seen("running"), onTrial, "success", 100)).toEqual({ kind: "wait" });
    expect(decide(seen("running"), { ...onTrial, started: { at: 100, onTrial: true } }, "failure", 100)).toEqual({ kind: "give up" });
    expect(decide(seen("running"), started(), "failure", 100)).toEqual({ kind: "wait" });
  });

  test("what cannot be inspected is left alone, whatever went before; a machine that is there is never started a second time", () => {
    const state = fc.constantFrom<MachineState>("running", "paused", "crashed", "shut off");
    const memory = fc.record({
      started: fc.option(fc.record({ at: fc.integer(), onTrial: fc.boolean() }), { nil: undefined }),
      failures: fc.nat(20),
      notBefore: fc.integer(),
    });
    const said = fc.constantFrom("nothing", "success", "failure" as const);
    fc.assert(
      fc.property(memory, said, fc.integer(), state, (before, words, now, there) => {
        expect(decide(unknown, before, words, now)).toEqual({ kind: "wait" });
        expect(decide(seen(there), before, words, now).kind).not.toBe("start");
      }),
    );
  });
});

describe("the time to the next start", () => {
  test("doubles up to five minutes, and begins again after a guest that lasted", () => {
    let memory = FRESH;
    const delays: number[] = [];
    for (let count = 0; count < 12; count += 1) {
      memory = afterEnd({ ...memory, started: { at: 1000, onTrial: false } }, 1001);
      delays.push(memory.notBefore - 1001);
    }
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    expect(memory.failures).toBeGreaterThan(LOOP);
    const lasted = afterEnd({ ...memory, started: { at: 1000, onTrial: false } }, 1600);
    expect(lasted).toEqual({ started: undefined, failures: 0, notBefore: 1601 });
    expect(afterFailedStart(lasted, 1700)).toMatchObject({ failures: 1, notBefore: 1701 });
  });

  test("a guest that runs has failed no more once it has lasted", () => {
    const before = { ...started({ at: 100 }), failures: 3 };
    expect(afterLooking(before, 699)).toEqual(before);
    expect(afterLooking(before, 700)).toEqual({ ...before, failures: 0 });
    expect(afterLooking({ ...FRESH, failures: 3 }, 10_000)).toEqual({ ...FRESH, failures: 3 });
  });

  test("grows with starts that failed too", () => {
    expect(afterFailedStart(afterFailedStart(FRESH, 10), 20)).toEqual({ started: undefined, failures: 2, notBefore: 22 });
  });
});
