import { expect, test } from "vitest";
import { upgradeFaults } from "../../crash/boot-upgrade.ts";
import type { UpgradeDocument } from "../../vm/support/upgrade.ts";

const found: UpgradeDocument = {
  ...{ running: "A", version: "0.1.0", phase: "stable", next: "A", toDo: [], refused: [] },
  grubenv: { alternative: "A", cycle: "stable", faults: [] },
  slots: { A: { kind: "proven" }, B: { kind: "incomplete" } },
};
const committed: UpgradeDocument = { ...found, phase: "committed", next: "B", slots: { ...found.slots, B: { kind: "installed" } } };
const onB: UpgradeDocument = { ...found, running: "B", phase: "trial", slots: { ...found.slots, B: { kind: "installed" } } };
const confirmed: UpgradeDocument = { ...onB, phase: "stable", next: "B", slots: { ...found.slots, B: { kind: "proven" } } };

test("an upgrade that goes on from either system has no fault", () => {
  expect(upgradeFaults(found, committed, "A")).toEqual([]);
  expect(upgradeFaults(onB, confirmed, "B")).toEqual([]);
});

test.each<[Partial<UpgradeDocument>, Partial<UpgradeDocument>, string]>([
  [{ running: "B" }, {}, "B runs, and not A"],
  [{ toDo: ["tell the boot loader"] }, {}, "the boot left something to do: tell the boot loader"],
  [{ grubenv: { ...found.grubenv, faults: ["it is empty"] } }, {}, "grubenv: it is empty"],
  [{ slots: { A: { kind: "failed" }, B: { kind: "nothing" } } }, {}, "A is called failed, not proven"],
  [{}, { phase: "stable" }, "the upgrade ends stable, not committed"],
  [{}, { next: "A" }, "after the upgrade A is next"],
  [{}, { slots: { A: { kind: "proven" }, B: { kind: "incomplete" } } }, "after the upgrade B is called incomplete, not installed"],
])("found: %j, %j", (before, after, fault) => {
  expect(upgradeFaults({ ...found, ...before }, { ...committed, ...after }, "A")).toEqual([fault]);
});
