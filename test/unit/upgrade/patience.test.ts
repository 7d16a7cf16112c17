import { expect, test } from "vitest";
import type { Check } from "../../../src/upgrade/health.ts";
import { afterLook, complaintOf, isHealthy, nextStep, type Patience, SETTLED, type Step } from "../../../src/upgrade/patience.ts";

const good: Check = { name: "libvirt" };
const bad = (name: string, code = "test-problem", found = "1"): Check => ({ name, problem: { code, what: "it is broken", found } });

/** Every sequence of so many looks. */
function sequences(length: number): readonly (readonly boolean[])[] {
  return length === 0 ? [[]] : sequences(length - 1).flatMap((rest) => [true, false].map((first) => [first, ...rest]));
}

/** Looks every 20 s, for a patience of 60 s, until it ends. */
const EVERY = 20;
const LASTS = 60;
function endOf(looks: readonly boolean[]): { readonly step: Step["kind"]; readonly look: number } {
  let patience: Patience = { from: 1000, lasts: LASTS };
  for (const [look, isGood] of looks.entries()) {
    const now = 1000 + look * EVERY;
    patience = afterLook(patience, [good, ...(isGood ? [] : [bad("guest")])], now);
    const step = nextStep(patience, now).kind;
    if (step !== "look again") return { step, look };
  }
  return { step: "look again", look: looks.length };
}

test("a system is kept once every look of a whole minute found it healthy, and given up at the first bad one after its time", () => {
  for (const looks of sequences(8)) {
    const minute = SETTLED / EVERY;
    const kept = looks.findIndex((_, at) => at >= minute && looks.slice(at - minute, at + 1).every(Boolean));
    const over = looks.findIndex((isGood, at) => !isGood && at * EVERY >= LASTS);
    const ends = [
      ...(kept < 0 ? [] : [{ step: "confirm" as const, look: kept }]),
      ...(over < 0 ? [] : [{ step: "give up" as const, look: over }]),
    ].toSorted((one, two) => one.look - two.look);
    expect(endOf(looks), looks.join(" ")).toEqual(ends[0] ?? { step: "look again", look: looks.length });
  }
});

test("whatever is seen, it ends: at most a minute after its time", () => {
  for (const looks of sequences(8)) expect(endOf(looks).look).toBeLessThanOrEqual((LASTS + SETTLED) / EVERY);
});

test("two looks that failed for the same reasons are the same complaint, whatever they counted", () => {
  expect(complaintOf([good])).toBe("");
  expect(complaintOf([good, bad("guest", "guest-not-running")])).toBe("guest guest-not-running");
  expect(complaintOf([bad("guest", "a", "1")])).toBe(complaintOf([good, bad("guest", "a", "2")]));
  expect(complaintOf([bad("guest", "a")])).not.toBe(complaintOf([bad("guest", "b")]));
  expect(complaintOf([bad("guest", "a"), bad("gateway", "a")])).toBe("guest a, gateway a");
  expect([isHealthy([]), isHealthy([good]), isHealthy([good, bad("guest")])]).toEqual([true, true, false]);
});
