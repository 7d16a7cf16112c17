import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hostBoot } from "../../../lab/host-grubenv.ts";
import { blockOf, type BootState, grubBoot, readBootState } from "../../../src/upgrade/boot-state.ts";
import { readAsHost } from "../../../src/upgrade/host-reading.ts";

/**
 * A host of today boots the guest's kernel itself, and takes and advances the boot state in place of GRUB. It reads a block in another way
 * than GRUB does. So every block that we write must mean the same to both, and a block that does not is written again.
 */

const HEAD = "# GRUB Environment Block\n";
const block = (lines: string, length = 1024): Buffer => Buffer.from((HEAD + lines).padEnd(length, "#"), "latin1");

/** The rules of the host's reader, one a row: the lines, and what it reads (docs/orchestrator.md). */
const RULES: Readonly<Record<string, readonly [bytes: Buffer, alternative: string | undefined, cycle: string | undefined]>> = {
  "as GRUB's tool writes it": [block("boot_alternative=B\nboot_cycle=first_boot\n"), "B", "first_boot"],
  "no header": [Buffer.from("boot_alternative=B\nboot_cycle=stable\n"), "B", "stable"],
  "another length": [block("boot_alternative=B\nboot_cycle=stable\n", 100), "B", "stable"],
  "nothing at all": [Buffer.alloc(0), undefined, undefined],
  "a missing value": [block("boot_alternative=B\n"), "B", undefined],
  "carriage returns": [block("boot_alternative=B\r\nboot_cycle=stable\r\n"), "B", "stable"],
  "blanks around": [block("  boot_alternative = B \n\tboot_cycle\t=\tstable\t\n"), "B", "stable"],
  "a remark behind a value": [block("boot_alternative=B # B it is\nboot_cycle=stable#x\n"), "B", "stable"],
  "the last of a name": [block("boot_alternative=A\nboot_alternative=B\nboot_cycle=install\nboot_cycle=stable\n"), "B", "stable"],
  "an assignment in a remark": [block("boot_alternative=A\nboot_cycle=stable\n# was boot_alternative=B\n"), "B", "stable"],
  "the first one of a line": [block("x=1 boot_alternative=B\nboot_cycle=stable\n"), undefined, "stable"],
  "a longer name": [block("my_boot_alternative=B\nold.boot_cycle=install\n"), undefined, "install"],
  "the next line of a value": [block("x=1\\\nboot_alternative=B\nboot_cycle=stable\n"), "B", "stable"],
  "no end of the last line": [block("boot_cycle=stable\nboot_alternative=B"), "B", "stable"],
  "an empty value": [block("boot_alternative=\nboot_cycle=stable\n"), "", "stable"],
  "a value that it does not know": [block("boot_alternative=C\nboot_cycle=Stable\n"), "C", "Stable"],
};

describe("the rules of the host's reader", () => {
  test.each(Object.entries(RULES))("%s", (_, [bytes, alternative, cycle]) => {
    const { readable, values } = readAsHost(bytes);
    expect([readable, values.get("boot_alternative"), values.get("boot_cycle")]).toEqual([true, alternative, cycle]);
    const known = ["A", "B", undefined].includes(alternative) && (cycle === undefined || isCycle(cycle));
    if (!known) expect(() => hostBoot(bytes)).toThrow(/invalid boot_/);
    else expect(hostBoot(bytes).slot).toBe((alternative ?? "A") === "A" ? "A" : "B");
  });

  test("what is not UTF-8 is no block for it, and the machine is not started", () => {
    const bytes = block("boot_alternative=A\nboot_cycle=stable\nx=\xff\n");
    expect(readAsHost(bytes)).toEqual({ readable: false, values: new Map() });
    expect(() => hostBoot(bytes)).toThrow(TypeError);
    expect(readBootState(bytes).faults).toEqual(["the host cannot read it: it is not UTF-8"]);
  });
});

const CYCLES = ["install", "stable", "first_boot", "failsafe_check"] as const;
function isCycle(text: string): boolean {
  return CYCLES.some((cycle) => cycle === text);
}
const states: readonly BootState[] = (["A", "B"] as const).flatMap((alternative) =>
  CYCLES.flatMap((cycle) => (["A", "B", undefined] as const).map((trial) => ({ alternative, cycle, trial }))),
);

test.each(states)(
  "a block as we write it boots the same slot by both, and both leave the same state: $alternative $cycle $trial",
  (state) => {
    const before = blockOf(state, ["saved_entry=3"]);
    const [host, grub] = [hostBoot(before), grubBoot(before)];
    expect(host.slot).toBe(grub.slot);
    const left = readBootState(host.block ?? before);
    expect(left).toMatchObject({ ...readBootState(grub.block), faults: [], others: ["saved_entry=3"] });
    // The trial survives the host, which does not know it.
    expect(left.state.trial).toBe(state.trial);
  },
);

/** Each reads one state for GRUB, and another, or none, for the host. */
const APART: Readonly<Record<string, string>> = {
  "a remark with a state in it": "boot_alternative=A\nboot_cycle=stable\n# before: boot_alternative=B\n",
  "a remark with a cycle in it": "boot_alternative=A\nboot_cycle=stable\n# boot_cycle=first_boot\n",
  "a name that ends as ours": "boot_alternative=A\nboot_cycle=stable\nold.boot_cycle=first_boot\n",
  "a newline in a value": "boot_alternative=A\nboot_cycle=stable\nx=1\\\nboot_alternative=B\n",
  "a line without an assignment": "boot_alternative=A\nboot_cycle=stable\njunk\nboot_alternative=B\n",
  "blanks around": "boot_alternative = B\nboot_cycle = first_boot\n",
  "bytes that are not UTF-8": "boot_alternative=A\nboot_cycle=stable\nx=\xff\xfe\n",
};

test.each(Object.entries(APART))(
  "a block that the two read apart is at fault, and means one thing once it is written again: %s",
  (_, lines) => {
    const { state, others, faults } = readBootState(block(lines));
    expect(faults).not.toEqual([]);
    const again = blockOf(state, others);
    expect(readBootState(again)).toMatchObject({ state, faults: [] });
    expect(hostBoot(again).slot).toBe(grubBoot(again).slot);
  },
);

test("whatever is in a block: written again, the host and GRUB boot the same of it", () => {
  const piece = fc.constantFrom(
    ...["boot_alternative", "boot_cycle", "boot_trial", "x", "=", " = ", "A", "B", "C", "stable", "first_boot", "failsafe_check"],
    ...["\n", "\r\n", "\\\n", "\\", "#", "# ", ".", "\xff", "\xc3\xa9", "\0", " "],
  );
  fc.assert(
    fc.property(fc.string({ unit: piece, maxLength: 40 }), (lines) => {
      const { state, others } = readBootState(block(lines));
      const again = blockOf(state, others);
      const { slot, block: left } = hostBoot(again);
      const grub = grubBoot(again);
      expect(slot).toBe(grub.slot);
      expect(readBootState(left ?? again).state).toEqual(readBootState(grub.block).state);
      expect(readBootState(left ?? again).faults).toEqual([]);
    }),
    { numRuns: 500, seed: 22 },
  );
});
