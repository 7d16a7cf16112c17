import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type BootState, blockOf, grubBoot, readBootState } from "../../../src/upgrade/boot-state.ts";
import { runGrubScript } from "../../support/grub-script.ts";

const grubConfiguration = readFileSync(join(import.meta.dirname, "../../../image/grub.cfg"), "utf8");

function block(lines: string, length = 1024): Buffer {
  return Buffer.from(`# GRUB Environment Block\n${lines}`.padEnd(length, "#"), "latin1");
}

const alternatives = [undefined, "A", "B", "", "a", "C", "A ", "AB"];
const cycles = [undefined, "install", "stable", "first_boot", "failsafe_check", "", "Stable", "junk"];
const tables = alternatives.flatMap((alternative) =>
  cycles.map((cycle) =>
    block(
      (alternative === undefined ? "" : `boot_alternative=${alternative}\n`) +
        (cycle === undefined ? "" : `boot_cycle=${cycle}\n`) +
        "other=1\n",
    ),
  ),
);
const broken = [
  undefined,
  Buffer.alloc(0),
  Buffer.alloc(1024),
  block("", 25),
  block("boot_alternative=B\nboot_cycle=first_boot"),
  block("boot_alternative=B\nboot_alternative=A\nboot_cycle=first_boot\nboot_cycle=failsafe_check\n"),
  block(`boot_alternative=B\nboot_cycle=first_boot\nx=${"y".repeat(950)}\n`),
  block("junk\nboot_alternative=B\nboot_cycle=failsafe_check\n"),
];

test("grub.cfg boots what we say that it boots, and leaves the block that we say: all values, and broken blocks", () => {
  for (const bytes of [...tables, ...broken]) {
    const { kernel, block: left } = runGrubScript(grubConfiguration, bytes);
    const [, slot, trial] = /^(?:hd0,gpt4 of (?=A)|hd0,gpt7 of (?=B))([AB]) ?(.*)$/.exec(kernel ?? "") ?? [undefined, kernel];
    const text = bytes?.toString().replace(/#+$/, "");
    expect({ slot, block: left }, text).toEqual(grubBoot(bytes));
    // The kernel is told of a trial, and of nothing else.
    expect(trial, text).toBe(readBootState(bytes).state.cycle === "first_boot" ? "guestos-boot.trial" : "");
  }
});

test("and so it is for garbage", () => {
  const unit = fc.constantFrom(
    "boot_alternative=",
    "boot_cycle=",
    "A",
    "B",
    "\n",
    "\\",
    "#",
    "=",
    "stable",
    "first_boot",
    "failsafe_check",
    "install",
  );
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 40 }), (lines) => {
      const bytes = block(lines);
      const { kernel, block: left } = runGrubScript(grubConfiguration, bytes);
      expect({
        slot: kernel
          ?.replace(/ guestos-boot\.trial$/, "")
          .trimEnd()
          .at(-1),
        block: left,
      }).toEqual(grubBoot(bytes));
    }),
    { numRuns: 500 },
  );
});

test("what GRUB takes for A and stable reads as that, and says that it should be written again", () => {
  const read = (lines: string): object => {
    const { state, faults } = readBootState(block(lines));
    return { ...state, faults };
  };
  expect(read("boot_alternative=B\nboot_cycle=first_boot\n")).toEqual({
    alternative: "B",
    cycle: "first_boot",
    trial: undefined,
    faults: [],
  });
  expect(read("")).toMatchObject({ alternative: "A", cycle: "stable", faults: ["it has no boot_alternative", "it has no boot_cycle"] });
  expect(read("boot_alternative=\nboot_cycle=junk\nboot_trial=C\n")).toEqual({
    ...{ alternative: "B", cycle: "stable", trial: undefined },
    faults: ['boot_alternative is ""', 'boot_cycle is "junk"', 'boot_trial is "C"'],
  });
});

test("every state is read as it was written, is sound, and stays so through each boot of GRUB", () => {
  for (const alternative of ["A", "B"] as const) {
    for (const cycle of ["install", "stable", "first_boot", "failsafe_check"] as const) {
      for (const trial of ["A", "B", undefined] as const) {
        const state: BootState = { alternative, cycle, trial };
        const bytes = blockOf(state, ["other=1"]);
        expect(readBootState(bytes)).toEqual({ state, readable: true, faults: [], others: ["other=1"] });
        const after = readBootState(grubBoot(bytes).block);
        expect(after).toMatchObject({ readable: true, faults: [], others: ["other=1"], state: { trial } });
      }
    }
  }
});

test("a trial has one boot, and the next one goes back", () => {
  const first = grubBoot(blockOf({ alternative: "B", cycle: "first_boot", trial: "B" }, []));
  expect(first.slot).toBe("B");
  const second = grubBoot(first.block);
  expect(second.slot).toBe("A");
  expect(readBootState(second.block).state).toEqual({ alternative: "A", cycle: "stable", trial: "B" });
});
