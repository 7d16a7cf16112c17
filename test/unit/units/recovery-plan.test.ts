import { expect, test } from "vitest";
import type { LuksToken } from "../../../src/system/luks-slots.ts";
import { markedSlots, planPassphrase, RECOVERY_TOKEN } from "../../../src/units/recovery-plan.ts";

const token = (slots: readonly number[], next?: number): LuksToken => ({ id: 0, type: RECOVERY_TOKEN, slots, next });

test("a header without our token has no recovery passphrase, whatever other tokens it has", () => {
  const other = { ...token([0]), type: "systemd-tpm2" };
  expect(markedSlots({ slots: [0, 1], tokens: [other] })).toEqual({ token: undefined, slots: [], state: "none" });
});

test.each([
  ["one marked slot", token([1]), [1], "set"],
  ["an announced slot that is not there yet", token([], 1), [], "unfinished"],
  ["an announced slot that is there", token([1], 2), [1, 2], "unfinished"],
  ["a former slot beside a new one", token([1, 2]), [1, 2], "unfinished"],
  ["a token whose slot was removed", token([]), [], "unfinished"],
] as const)("%s is seen", (name, mark, slots, state) => {
  const there = name.includes("not there") || name.includes("removed") ? [0] : [0, ...slots];
  expect(markedSlots({ slots: there, tokens: [mark] })).toEqual({ token: 0, slots, state });
});

test("two tokens of ours are refused", () => {
  expect(() => markedSlots({ slots: [0, 1], tokens: [token([1]), { ...token([1]), id: 3 }] })).toThrow("two tokens");
});

test("a passphrase that fits is left alone; where more is there, the others go", () => {
  const header = { slots: [0, 1], tokens: [token([1])] };
  expect(planPassphrase(header, markedSlots(header), [1])).toEqual({ kind: "unchanged" });
  const cut = { slots: [0, 1, 2], tokens: [token([1], 2)] };
  expect(planPassphrase(cut, markedSlots(cut), [2])).toEqual({ kind: "finish", slot: 2, former: [1] });
  expect(planPassphrase(cut, markedSlots(cut), [1])).toEqual({ kind: "finish", slot: 1, former: [2] });
});

test("another one goes into a free slot, never into one that is there, and all former ones go after it", () => {
  const header = { slots: [0, 2, 3], tokens: [token([2], 3)] };
  expect(planPassphrase(header, markedSlots(header), [])).toEqual({ kind: "add", slot: 1, former: [2, 3] });
});

test("a header without a free slot is refused", () => {
  const header = { slots: Array.from({ length: 32 }, (_, slot) => slot), tokens: [] };
  expect(() => planPassphrase(header, markedSlots(header), [])).toThrow("no free key slot");
});
