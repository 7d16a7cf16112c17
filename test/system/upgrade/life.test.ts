import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decideAndWrite, settleMachine } from "../../../src/upgrade/apply-writes.ts";
import { runHealthChecks } from "../../../src/upgrade/health.ts";
import { forgetImage, readRefusedImages } from "../../../src/upgrade/slot-state.ts";
import { withUpgradeLock } from "../../../src/upgrade/upgrade-lock.ts";
import { upgradeState } from "../../../src/units/slots/upgrade-state.ts";
import { atEveryEffect, interruptingHost } from "../../support/interrupting-host.ts";
import { problemOf } from "../../support/problem-of.ts";
import { runUnit } from "../../support/run-unit.ts";
import { HASH, installed, proven, slotMachine, type SlotMachine } from "../../support/slot-machine.ts";
import { testMachine } from "../../support/test-machine.ts";

const STABLE_A = { alternative: "A", cycle: "stable", trial: undefined };
const STABLE_B = { alternative: "B", cycle: "stable", trial: undefined };
const readyForB = async (): Promise<SlotMachine> => slotMachine({ records: { A: proven, B: installed } });
const onTrialB = async (): Promise<SlotMachine> => {
  const machine = await readyForB();
  await decideAndWrite(machine.host, machine.layout, "commit");
  machine.boot();
  return machine;
};
const unit = async ({ host, layout }: SlotMachine): Promise<readonly string[]> => runUnit(upgradeState, testMachine(host, layout));
const TRIAL = "note that this boot is a trial: the machine restarts unless it is confirmed in time";
const NO_TRIAL = "note that this boot is no trial";
const marks = ({ layout }: SlotMachine): readonly string[] =>
  ["on-trial", "not-on-trial"].filter((name) => existsSync(join(layout.run, name)));

test("A installs B, commits, B boots on trial, is confirmed and stays; and back again", async () => {
  const machine = await readyForB();
  const { host, layout } = machine;
  expect(await decideAndWrite(host, layout, "commit")).toMatchObject({ reboot: true });
  expect(machine.state()).toEqual({ alternative: "B", cycle: "first_boot", trial: "B" });
  expect(machine.boot()).toBe("B");
  expect(await unit(machine)).toEqual([TRIAL]);
  writeFileSync(layout.versionFile, "2.0.0\n");
  await decideAndWrite(host, layout, "confirm");
  expect(machine.state()).toEqual(STABLE_B);
  expect(await machine.record("B")).toMatchObject({ kind: "proven", version: "2.0.0", image: { sha256: HASH } });
  expect(machine.boot()).toBe("B");
  expect(await unit(machine)).toEqual([]);
  await decideAndWrite(host, layout, "rollback");
  expect(machine.boot()).toBe("A");
  await decideAndWrite(host, layout, "confirm");
  expect(machine.boot()).toBe("A");
  expect([(await machine.record("A"))?.kind, (await machine.record("B"))?.kind]).toEqual(["proven", "proven"]);
  expect(readFileSync(layout.grubenv, "latin1")).toContain("\nother=1\n");
});

/** As an editor leaves them. GRUB cannot save to such a block, and so cannot try a system from it. */
const SPOILT: readonly (readonly [string, (block: Buffer) => Buffer])[] = [
  ["one newline too many", (block) => Buffer.concat([block, Buffer.from("\n")])],
  ["a newline in place of its last #", (block) => Buffer.concat([block.subarray(0, 1023), Buffer.from("\n")])],
];

test.each(SPOILT)("a block with %s is made whole by the unit, and by a commit that finds it, with all that it says", async (_, spoil) => {
  const machine = await readyForB();
  const { host, layout } = machine;
  const sound = readFileSync(layout.grubenv);
  machine.setBlock(spoil(sound));
  expect(await unit(machine)).toEqual([expect.stringMatching(/^set the boot loader to: slot A, stable \(grubenv: /)]);
  expect(readFileSync(layout.grubenv)).toEqual(sound);
  expect(await unit(machine)).toEqual([]);
  machine.setBlock(spoil(sound));
  await decideAndWrite(host, layout, "commit");
  expect(machine.boot()).toBe("B");
  expect(machine.state()).toEqual({ alternative: "B", cycle: "failsafe_check", trial: "B" });
  expect(readFileSync(layout.grubenv, "latin1")).toContain("\nother=1\n");
});

test("what ends a trial is told of one and of its confirmation, and in a boot that is none there is nothing to tell", async () => {
  const machine = await onTrialB();
  expect(await unit(machine)).toEqual([TRIAL]);
  expect(marks(machine)).toEqual(["on-trial"]);
  expect(await unit(machine)).toEqual([]);
  await decideAndWrite(machine.host, machine.layout, "confirm");
  expect(await unit(machine)).toEqual([NO_TRIAL]);
  expect(marks(machine)).toEqual(["not-on-trial"]);
  expect(await unit(machine)).toEqual([]);
  machine.boot();
  expect(await unit(machine)).toEqual([]);
  expect(marks(machine)).toEqual([]);
});

test("a trial that GRUB did not know of is marked as one too", async () => {
  const machine = await slotMachine({ state: undefined, records: { A: installed, B: proven } });
  expect(await unit(machine)).toEqual([
    "set the boot loader to: slot A, failsafe_check, trial of A (grubenv: there is no such file)",
    TRIAL,
  ]);
  expect(marks(machine)).toEqual(["on-trial"]);
});

test("a system that is not confirmed is left, marked, and its image remembered: once", async () => {
  const machine = await onTrialB();
  expect(machine.boot()).toBe("A");
  expect(await unit(machine)).toEqual([
    "record that the image in slot B must not be installed again: it was started and not confirmed, and the machine went back to the other system",
    "mark slot B as failed: it was started and not confirmed, and the machine went back to the other system",
    "set the boot loader to: slot A, stable",
  ]);
  expect(await machine.record("B")).toMatchObject({ kind: "failed", sha256: HASH, version: "2.0.0" });
  expect(machine.state()).toEqual(STABLE_A);
  expect(await readRefusedImages(machine.host, machine.layout)).toMatchObject([{ sha256: HASH }]);
  expect(await unit(machine)).toEqual([]);
  expect(await problemOf(async () => decideAndWrite(machine.host, machine.layout, "commit"))).toMatchObject({
    found: "a system that failed",
  });
  expect(await forgetImage(machine.host, machine.layout, HASH)).toMatchObject({ sha256: HASH });
  expect(await forgetImage(machine.host, machine.layout, HASH)).toBeUndefined();
});

test("a first boot proves the shipped system, and a node without grubenv gets one", async () => {
  for (const state of [{ alternative: "A", cycle: "install", trial: undefined }, undefined] as const) {
    const machine = await slotMachine({ state, records: {} });
    expect(machine.boot()).toBe("A");
    await unit(machine);
    expect(machine.state()).toEqual(STABLE_A);
    expect(statSync(machine.layout.grubenv).size).toBe(1024);
    expect(await machine.record("A")).toMatchObject({ kind: "proven", version: "1.0.0" });
    expect(await unit(machine)).toEqual([]);
  }
});

test("the unit says what was wrong with grubenv", async () => {
  const machine = await slotMachine();
  machine.setBlock(Buffer.alloc(1024));
  expect(await unit(machine)).toEqual(["set the boot loader to: slot A, stable (grubenv: it does not begin with GRUB's signature)"]);
});

test("an operator who gives up a trial goes back at once, and the image is not tried again", async () => {
  const machine = await onTrialB();
  expect(await decideAndWrite(machine.host, machine.layout, "rollback")).toMatchObject({ reboot: true });
  expect(machine.boot()).toBe("A");
  await unit(machine);
  expect(machine.state()).toEqual(STABLE_A);
  expect(await machine.record("B")).toMatchObject({ kind: "failed", reason: "an operator rolled it back before it was confirmed" });
  expect(await readRefusedImages(machine.host, machine.layout)).toHaveLength(1);
});

test("a commit that was not booted yet is taken back, and nothing has failed", async () => {
  const machine = await readyForB();
  await decideAndWrite(machine.host, machine.layout, "commit");
  expect(await decideAndWrite(machine.host, machine.layout, "commit")).toEqual({ kind: "do", writes: [], reboot: true });
  expect(await decideAndWrite(machine.host, machine.layout, "rollback")).toMatchObject({ reboot: false });
  expect(machine.boot()).toBe("A");
  expect(await unit(machine)).toEqual([]);
  expect(await machine.record("B")).toEqual(installed);
});

test("confirming again writes nothing", async () => {
  const machine = await onTrialB();
  await decideAndWrite(machine.host, machine.layout, "confirm");
  const host = interruptingHost(machine.host, 1);
  expect(await decideAndWrite(host, machine.layout, "confirm")).toEqual({ kind: "done" });
  expect(host.interrupted()).toBe(false);
});

test("a damaged record is never taken for none: such a slot is neither committed nor gone back to", async () => {
  const machine = await readyForB();
  const file = join(machine.layout.config.slots, "B.json");
  for (const content of ["", "{", '{"kind":"installed"}', JSON.stringify({ ...installed, extra: 1 })]) {
    writeFileSync(file, content);
    for (const verb of ["commit", "rollback"] as const) {
      expect(await problemOf(async () => decideAndWrite(machine.host, machine.layout, verb))).toMatchObject({
        found: "a record that cannot be read",
      });
    }
  }
  expect(machine.state()).toEqual(STABLE_A);
});

test("a list of refused images that cannot be read stops what would have to inspect it", async () => {
  const machine = await onTrialB();
  machine.boot();
  writeFileSync(machine.layout.config.refusedImages, "[]");
  expect(await problemOf(async () => settleMachine(machine.host, machine.layout))).toMatchObject({
    what: "the list of refused images cannot be read",
  });
});

test("one upgrade command at a time: the second one says who is at it", async () => {
  const { host, layout } = await slotMachine();
  const request = { command: "guestos-boot upgrade commit", wait: 0 };
  await withUpgradeLock(host, layout, request, async () => {
    expect(await problemOf(async () => withUpgradeLock(host, layout, request, async () => undefined))).toMatchObject({
      what: "another upgrade command is running",
      found: expect.stringContaining("guestos-boot upgrade commit"),
    });
  });
  expect(await withUpgradeLock(host, layout, request, async () => "free")).toBe("free");
});

test.each([
  ["commit", readyForB, ["A", "B"]],
  ["confirm", onTrialB, ["A", "B"]],
  ["rollback", onTrialB, ["A"]],
] as const)("a power cut before any write of a %s leaves a machine that boots and can go on", async (verb, prepare, slots) => {
  const cuts = await atEveryEffect(
    prepare,
    async (machine, interrupt) => decideAndWrite(interrupt(machine.host), machine.layout, verb),
    async (machine) => {
      expect(slots).toContain(machine.boot());
      await unit(machine);
      expect(await unit(machine)).toEqual([]);
      const phase = machine.state();
      expect(["stable", "failsafe_check"]).toContain(phase.cycle);
      expect((await machine.record("A"))?.kind).toBe("proven");
    },
  );
  expect(cuts).toBeGreaterThan(0);
});

test("a power cut while a fall-back is written down is made good by the next boot", async () => {
  const cuts = await atEveryEffect(
    async () => {
      const machine = await onTrialB();
      machine.boot();
      return machine;
    },
    async (machine, interrupt) => settleMachine(interrupt(machine.host), machine.layout),
    async (machine) => {
      expect(machine.boot()).toBe("A");
      await unit(machine);
      expect(await machine.record("B")).toMatchObject({ kind: "failed", sha256: HASH });
      expect(await readRefusedImages(machine.host, machine.layout)).toHaveLength(1);
      expect(machine.state()).toEqual(STABLE_A);
    },
  );
  expect(cuts).toBeGreaterThan(2);
});

test.each(SPOILT)("a power cut while a commit makes a block with %s whole leaves no trial without an end", async (_, spoil) => {
  const cuts = await atEveryEffect(
    async () => {
      const machine = await readyForB();
      machine.setBlock(spoil(readFileSync(machine.layout.grubenv)));
      return machine;
    },
    async (machine, interrupt) => decideAndWrite(interrupt(machine.host), machine.layout, "commit"),
    async (machine) => {
      // No one confirms: after a try, if there is one, GRUB alone is back at A.
      machine.boot();
      expect(machine.boot()).toBe("A");
      await unit(machine);
      expect(machine.state()).toEqual(STABLE_A);
      expect(readFileSync(machine.layout.grubenv, "latin1")).toContain("\nother=1\n");
    },
  );
  // The block is made whole first, and says then what it said.
  expect(cuts).toBeGreaterThan(1);
});

test("a power cut while a lost grubenv is made again leaves a machine that makes it", async () => {
  const cuts = await atEveryEffect(
    async () => slotMachine({ state: undefined }),
    async (machine, interrupt) => settleMachine(interrupt(machine.host), machine.layout),
    async (machine) => {
      expect(machine.boot()).toBe("A");
      await unit(machine);
      expect(machine.state()).toEqual(STABLE_A);
    },
  );
  expect(cuts).toBe(2);
});

test("a block whose state is in its second sector is written first sector first, and its others are kept", async () => {
  const machine = await slotMachine();
  const others = `long=${"x".repeat(460)}\n`;
  machine.setBlock(Buffer.from(`# GRUB Environment Block\n${others}boot_alternative=A\nboot_cycle=stable\nlast=1\n`.padEnd(1024, "#")));
  const writes: number[] = [];
  const host = {
    ...machine.host,
    writeInPlace: async (path: string, content: string | Uint8Array): Promise<void> => {
      writes.push(content.length);
      await machine.host.writeInPlace(path, content);
    },
  };
  await settleMachine(host, machine.layout);
  expect(writes).toEqual([512, 1024]);
  expect(readFileSync(machine.layout.grubenv, "latin1")).toBe(
    `# GRUB Environment Block\nboot_alternative=A\nboot_cycle=stable\n${others}last=1\n`.padEnd(1024, "#"),
  );
});

test("a disk that does not keep what was written is found out", async () => {
  const machine = await readyForB();
  const host = { ...machine.host, writeInPlace: async () => undefined };
  expect(await problemOf(async () => decideAndWrite(host, machine.layout, "commit"))).toMatchObject({
    what: "the boot loader's environment block is not what was just written",
  });
});

test("health checks are the executables, in order; a failing one says why, and a README is none", async () => {
  const { host, layout } = await slotMachine();
  const folder = layout.etc.healthChecks;
  expect(await runHealthChecks(host, folder)).toEqual([]);
  mkdirSync(folder, { recursive: true });
  for (const [name, mode, text] of [
    ["20-bad", 0o755, "#!/bin/sh\necho no route >&2\nexit 3\n"],
    ["10-good", 0o755, "#!/bin/sh\nexit 0\n"],
    ["README", 0o644, "what to put here\n"],
  ] as const) {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), mode);
  }
  expect(await runHealthChecks(host, folder)).toEqual([
    { name: "10-good" },
    { name: "20-bad", problem: expect.objectContaining({ found: "no route" }) },
  ]);
});
