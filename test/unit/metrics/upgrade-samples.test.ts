import { expect, test } from "vitest";
import { upgradeSamples } from "../../../src/metrics/upgrade-samples.ts";
import { blockOf, type BootState, readBootState } from "../../../src/upgrade/boot-state.ts";
import type { Knowledge, Seen } from "../../../src/upgrade/situation.ts";
import type { SlotRecord } from "../../../src/upgrade/slot-state.ts";

const HASH = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";
const content = { bytes: 1024, digest: HASH };
const image = { version: "2.0.0", sha256: HASH, boot: content, root: content };
const installed: SlotRecord = {
  kind: "installed",
  install: "0b4e7a3c-51f5-4b7e-9a3e-0d7f8d3f5a11",
  ...image,
  at: "2026-11-20T14:00:00.000Z",
};
const shipped: SlotRecord = { kind: "proven", version: "1.0.0", at: "2026-11-20T14:00:00.000Z" };
const confirmed: SlotRecord = { ...shipped, version: "2.0.0", image };
const START = Date.parse("2026-11-20T13:00:00.000Z") / 1000;

function values(
  state: BootState,
  a: SlotRecord | undefined,
  b: SlotRecord | undefined,
  start: number | undefined = START,
): readonly string[] {
  const block = blockOf(state, []);
  const knowledge = (record: SlotRecord | undefined): Knowledge =>
    record === undefined ? { kind: "nothing" } : { kind: "record", record };
  const seen: Seen = {
    grubenv: readBootState(block),
    block,
    slots: { A: knowledge(a), B: knowledge(b) },
    situation: { running: "A", state, sound: true, known: { A: a?.kind ?? "nothing", B: b?.kind ?? "nothing" } },
  };
  return upgradeSamples({ seen, refusedImages: 2, bootDevice: "/dev/vda4" }, "1.0.0", start).map(
    ({ family, labels, value }) => `${family.name} ${JSON.stringify(labels)} ${value}`,
  );
}

const stable: BootState = { alternative: "A", cycle: "stable", trial: undefined };

test.each<[string, BootState, SlotRecord | undefined, SlotRecord | undefined, string, string]>([
  ["a boot", stable, shipped, undefined, '{"successful_boot":"true"} 0', "1"],
  ["a boot of what was just shipped", { ...stable, cycle: "install" }, undefined, undefined, '{"successful_boot":"true"} 0', "1"],
  ["an install", stable, shipped, installed, '{"written_var":"true"} 1', "1"],
  ["a commit", { alternative: "B", cycle: "first_boot", trial: "B" }, shipped, installed, '{"committed":"true"} 1', "0"],
  ["a trial", { alternative: "A", cycle: "failsafe_check", trial: "A" }, installed, shipped, '{"next_boot":"B","version":"1.0.0"} 2', "0"],
  ["a confirmation", stable, confirmed, shipped, '{"confirm_boot":"/dev/vda4","version":"1.0.0"} 1', "1"],
])("after %s, the one sample of guestos_boot_action says so, with the labels of IC-OS", (_, state, a, b, action, isStable) => {
  const all = values(state, a, b);
  expect(all.filter((line) => line.startsWith("guestos_boot_action "))).toEqual([`guestos_boot_action ${action}`]);
  expect(all).toContain(`guestos_boot_stable {} ${isStable}`);
});

test("a confirmation in an earlier boot is over", () => {
  const later = Date.parse("2026-11-20T15:00:00.000Z") / 1000;
  expect(values(stable, confirmed, shipped, later)).toContain('guestos_boot_action {"successful_boot":"true"} 0');
});

test("the next boot is what GRUB would do: an unconfirmed trial goes back", () => {
  const trial = values({ alternative: "A", cycle: "failsafe_check", trial: "A" }, installed, shipped);
  expect(trial).toContain('guestos_slot_next_boot {"slot":"B"} 1');
  expect(trial).toContain('guestos_slot_running {"slot":"A"} 1');
  expect(values({ alternative: "B", cycle: "first_boot", trial: "B" }, shipped, installed)).toContain(
    'guestos_slot_next_boot {"slot":"B"} 1',
  );
});

test("each slot is in one state, and its version is known where the record has it", () => {
  const all = values(stable, shipped, {
    kind: "incomplete",
    install: "0b4e7a3c-51f5-4b7e-9a3e-0d7f8d3f5a11",
    since: "2026-11-20T14:00:00.000Z",
  });
  expect(all.filter((line) => line.startsWith("guestos_slot_state ") && line.endsWith(" 1"))).toEqual([
    'guestos_slot_state {"slot":"A","state":"proven"} 1',
    'guestos_slot_state {"slot":"B","state":"incomplete"} 1',
  ]);
  expect(all.filter((line) => line.startsWith("guestos_slot_version "))).toEqual(['guestos_slot_version {"slot":"A","version":"1.0.0"} 1']);
  expect(all).toContain("guestos_upgrade_refused_images {} 2");
});
