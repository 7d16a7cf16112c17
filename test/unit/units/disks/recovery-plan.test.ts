import { expect, test } from "vitest";
import type { LuksSlot, LuksToken } from "../../../../src/system/disks/luks-slots.ts";
import { markedSlots, MEMORIES, MEMORY, planPassphrase, RECOVERY_TOKEN } from "../../../../src/units/disks/recovery-plan.ts";

const OURS = MEMORY + 17;
const token = (slots: readonly number[], next?: number): LuksToken => ({
  ...{ id: 0, type: RECOVERY_TOKEN, slots },
  next: next === undefined ? undefined : { number: next, memory: OURS },
});
const slots = (...numbers: readonly number[]): readonly LuksSlot[] => numbers.map((number) => ({ number, memory: OURS }));

test("a header without our token has no recovery passphrase, whatever other tokens it has", () => {
  const other = { ...token([0]), type: "systemd-tpm2" };
  expect(markedSlots({ slots: slots(0, 1), tokens: [other] })).toEqual({ token: undefined, slots: [], state: "none" });
});

test.each([
  ["one marked slot", token([1]), [1], "set"],
  ["an announced slot that is not there yet", token([], 1), [], "unfinished"],
  ["an announced slot that is there", token([1], 2), [1, 2], "unfinished"],
  ["a former slot beside a new one", token([1, 2]), [1, 2], "unfinished"],
  ["a token whose slot was removed", token([]), [], "unfinished"],
] as const)("%s is seen", (name, mark, marked, state) => {
  const there = name.includes("not there") || name.includes("removed") ? slots(0) : slots(0, ...marked);
  expect(markedSlots({ slots: there, tokens: [mark] })).toEqual({ token: 0, slots: marked, state });
});

test.each([
  ["another memory", OURS + 1],
  ["another key derivation", undefined],
])("a slot that someone made where one was announced, with %s, is theirs", (_, memory) => {
  const header = { slots: [...slots(0, 1), { number: 2, memory }], tokens: [token([1], 2)] };
  const marked = markedSlots(header);
  expect(marked).toEqual({ token: 0, slots: [1], state: "unfinished" });
  expect(planPassphrase(header, marked, [])).toMatchObject({ slot: { number: 3 }, former: [1] });
});

test("two tokens of ours are refused", () => {
  expect(() => markedSlots({ slots: slots(0, 1), tokens: [token([1]), { ...token([1]), id: 3 }] })).toThrow("two tokens");
});

test("a passphrase that fits is left alone; where more is there, the others go", () => {
  const header = { slots: slots(0, 1), tokens: [token([1])] };
  expect(planPassphrase(header, markedSlots(header), [1])).toEqual({ kind: "unchanged" });
  const cut = { slots: slots(0, 1, 2), tokens: [token([1], 2)] };
  expect(planPassphrase(cut, markedSlots(cut), [2])).toEqual({ kind: "finish", slot: 2, former: [1] });
  expect(planPassphrase(cut, markedSlots(cut), [1])).toEqual({ kind: "finish", slot: 1, former: [2] });
});

test("another one goes into a free slot, never into one that is there, and all former ones go after it", () => {
  const header = { slots: slots(0, 2, 3), tokens: [token([2], 3)] };
  const plan = planPassphrase(header, markedSlots(header), []);
  expect(plan).toMatchObject({ kind: "add", slot: { number: 1 }, former: [2, 3] });
  const { memory } = plan.kind === "add" ? plan.slot : { memory: 0 };
  expect(memory).toBeGreaterThanOrEqual(MEMORY);
  expect(memory).toBeLessThan(MEMORY + MEMORIES);
});

test("a header without a free slot is refused", () => {
  const header = { slots: slots(...Array(32).keys()), tokens: [] };
  expect(() => planPassphrase(header, markedSlots(header), [])).toThrow("no free key slot");
});
