import { expect, test } from "vitest";
import { blockOf, type BootState } from "../../../src/upgrade/boot-state.ts";
import type { ConfigAtCut } from "../../crash/config-at-cut.ts";
import { type UpgradeAtCut, upgradeFaults, type UpgradeFacts } from "../../crash/inspect-upgrade.ts";

const UPDATE = "u".repeat(64);
const stable: BootState = { alternative: "A", cycle: "stable", trial: undefined };
const committed: BootState = { alternative: "B", cycle: "first_boot", trial: "B" };
const trial: BootState = { alternative: "B", cycle: "failsafe_check", trial: "B" };

const proven = '{ "kind": "proven" }';
const installed = JSON.stringify({ kind: "installed", sha256: UPDATE });
const files = new Map([
  ["store.keyfile", "k"],
  ["machine-id", "m"],
  ["slots/A.json", "a"],
]);
const config = (b?: string, more: Partial<ConfigAtCut> = {}): ConfigAtCut => ({
  files,
  intents: new Map(),
  documents: new Map([["slots/A.json", proven], ...(b === undefined ? [] : [["slots/B.json", b] as const])]),
  ...more,
});
const facts: UpgradeFacts = { begin: config(), end: config(installed), sha256: UPDATE, fixed: ["A"] };
const at = (state: BootState, b: string | undefined, isWhole: boolean, more: Partial<UpgradeAtCut> = {}): UpgradeAtCut => ({
  ...{ config: config(b), headers: new Map(), block: blockOf(state, []), whole: { A: true, B: isWhole } },
  ...more,
});

test.each([
  ["nothing is installed", at(stable, undefined, false)],
  ["an install is under way", at(stable, '{ "kind": "incomplete" }', false)],
  ["all is written, and not said yet", at(stable, '{ "kind": "incomplete" }', true)],
  ["installed", at(stable, installed, true)],
  ["committed", at(committed, installed, true)],
  ["on trial", at(trial, installed, true)],
  ["proven", at({ ...stable, alternative: "B" }, JSON.stringify({ kind: "proven", image: { sha256: UPDATE } }), true)],
])("allowed: %s", (_, found) => {
  expect(upgradeFaults(found, facts)).toEqual([]);
});

const without = new Map([...files].filter(([file]) => file !== "machine-id"));

test.each<[string, UpgradeAtCut, string]>([
  ["no grubenv", at(stable, undefined, false, { block: undefined }), "grubenv: "],
  ["half a grubenv", at(stable, undefined, false, { block: blockOf(stable, []).subarray(0, 512) }), "grubenv: "],
  ["committed before it is whole", at(committed, installed, false), "GRUB boots B, which is not whole"],
  ["nothing to go back to", at(trial, installed, true, { whole: { A: false, B: true } }), "GRUB boots A, which is not whole"],
  ["a trial of half a system", at({ ...trial, alternative: "A" }, undefined, false), "GRUB boots B, which is not whole"],
  [
    "the next boot but one",
    at(committed, installed, true, { whole: { A: false, B: true } }),
    "GRUB boots A after that, which is not whole",
  ],
  ["installed too early", at(stable, installed, false), "B is called installed, and is not whole"],
  ["another image", at(stable, '{ "kind": "installed", "sha256": "0" }', true), "B is called installed, with another image"],
  ["a failure", at(stable, '{ "kind": "failed" }', true), "B is called failed"],
  ["the running system", at(stable, undefined, false, { whole: { A: false, B: false } }), "A is not what it was"],
  ["half a record", at(stable, "{", true), "slots/B.json is no JSON"],
  ["no record of A", at(stable, undefined, false, { config: { ...config(), documents: new Map() } }), "A is called nothing, not proven"],
  ["a file that is gone", at(stable, undefined, false, { config: config(undefined, { files: without }) }), "machine-id is gone"],
  [
    "another key",
    at(stable, undefined, false, { config: config(undefined, { files: new Map([...files, ["store.keyfile", "other"]]) }) }),
    "store.keyfile is not whole",
  ],
])("found: %s", (_, found, fault) => {
  expect(upgradeFaults(found, facts)).toContainEqual(expect.stringContaining(fault));
});
