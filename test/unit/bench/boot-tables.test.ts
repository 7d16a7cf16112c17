import { expect, test } from "vitest";
import { comparison, profileTable, type Row } from "../../../bench/boot-tables.ts";
import type { Boot, Kind } from "../../../bench/measured-boot.ts";

const NOTHING: Boot = {
  ...{ own: 1, busy: 1, toTarget: 1, chain: 1, limit: Number.NaN, programs: 1, processes: 1 },
  ...{ pageFaults: 1, read: 1, written: 1, memory: 1, program: Number.NaN },
};
const row = (kind: Kind, chain: string, boots: readonly Partial<Boot>[], own: Readonly<Record<string, number>> = {}): Row => ({
  ...{ kind, chain },
  boots: boots.map((boot) => ({ boot: { ...NOTHING, ...boot }, profile: { idle: 0.25, own, others: { udev: 0.125 }, programs: [] } })),
});

test("a table has medians, ranges where boots differ, ratios and targets", () => {
  const rows = [
    row("first boot", "shell chain", [{ own: 4 }, { own: 2 }, { own: 3 }]),
    row("first boot", "guestos-boot", [
      { own: 1.5, limit: 1 },
      { own: 1.5, limit: 1 },
      { own: 1.5, limit: 1 },
    ]),
  ];
  const lines = { own: { title: "instructions", digits: 1, target: [0.75, 0.55] }, limit: { title: "limit", digits: 0 } } as const;
  expect(comparison(lines, ["first boot", "nothing to do"], rows).slice(2)).toEqual([
    "| first boot: instructions | 3.0 (2.0 to 4.0) | 1.5 | 0.50 | 0.75 |",
    "| first boot: limit |  | 1 |  |  |",
  ]);
});

test("a profile has the largest parts of both chains beside each other", () => {
  const rows = [
    row("nothing to do", "shell chain", [{}], { bash: 2 }),
    row("nothing to do", "guestos-boot", [{}], { "guestos-boot": 1, mount: 0.5 }),
  ];
  expect(profileTable("nothing to do", rows, 3).slice(2)).toEqual([
    "| bash | 2.000 | guestos-boot | 1.000 |",
    "| idle | 0.250 | mount | 0.500 |",
    "| (udev) | 0.125 | idle | 0.250 |",
  ]);
});
