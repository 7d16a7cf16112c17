import { mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { blockOf, grubBoot, readBootState } from "../../src/upgrade/boot-state.ts";
import { makeVfat } from "../../image/filesystems.ts";
import { grubConfiguration, makeGrubImage } from "../../image/grub.ts";
import { diskMiB, partitionsOf, sfdiskScript } from "../../image/layout.ts";
import { inTemporaryFolder, run } from "../../image/tools.ts";
import { withPanicRetry } from "../../lab/panic-retry.ts";
import { buildFolder } from "../../image/paths.ts";
import { printable } from "../../lab/serial-log.ts";
import { startVirtualMachine } from "../../lab/start-virtual-machine.ts";
import { BOOT_TIMEOUT } from "./support/node.ts";

/**
 * GRUB itself, on the firmware, with our grub.cfg, on many blocks in one start. What it boots, and what it leaves in the block, must
 * be what `grubBoot` says; the unit tests of which have the same table, and an interpreter of grub.cfg.
 */

vi.setConfig({ testTimeout: 3 * BOOT_TIMEOUT });

const MIB = 1024 * 1024;
const SEED = 20_261_120;
const GARBAGE = 150;

function block(lines: string, length = 1024): Buffer {
  return Buffer.from(`# GRUB Environment Block\n${lines}`.padEnd(length, "#"), "latin1");
}

function toBeTried(): Buffer {
  return block("boot_alternative=B\nboot_cycle=first_boot\nboot_trial=B\nother=1\n");
}

const values = ["A", "B", "", "a", "C", "A ", "AB"].map((value) => `boot_alternative=${value}\n`);
const cycles = ["install", "stable", "first_boot", "failsafe_check", "", "Stable", "junk"].map((value) => `boot_cycle=${value}\n`);
const sound = ["", ...values].flatMap((alternative) =>
  ["", ...cycles].flatMap((cycle) => ["", "boot_trial=B\nother=1\n"].map((more) => block(alternative + cycle + more))),
);
const broken = [
  undefined,
  Buffer.alloc(0),
  Buffer.alloc(1024),
  Buffer.alloc(1024, "#"),
  block("", 25),
  block("", 26),
  block("boot_alternative=B\nboot_cycle=first_boot\n", 512),
  block("boot_alternative=B\nboot_cycle=first_boot\n", 2048),
  block("boot_alternative=B\nboot_cycle=first_boot"),
  block("boot_alternative=B\nboot_cycle=failsafe_check"),
  block("boot_alternative=B\nboot_alternative=A\nboot_cycle=first_boot\nboot_cycle=failsafe_check\n"),
  block("boot_alternative=A\nboot_alternative=B\nboot_cycle=failsafe_check\nboot_cycle=first_boot\n"),
  block(`boot_alternative=B\nboot_cycle=first_boot\nx=${"y".repeat(950)}\n`),
  block(`x=${"y".repeat(600)}\nboot_alternative=B\nboot_cycle=first_boot\n`),
  block("junk\nboot_alternative=B\nboot_cycle=failsafe_check\n"),
  block("boot_alternative=B\\\nboot_cycle=first_boot\n"),
  block("boot_alternative=\\B\nboot_cycle=first\\_boot\n"),
  block("#boot_alternative=B\nboot_cycle=first_boot\n"),
  block("boot_alternative=B\nboot_cycle=first_boot\n\0"),
  block("boot_alternative=B\0\nboot_cycle=first_boot\0x\n"),
  Buffer.from(`# GRUB environment block\nboot_alternative=B\n`.padEnd(1024, "#")),
];
/** GRUB cannot save to these, and begins the same trial at each start; the block that takes the place of each it can save to. */
const spoilt = ["\n", "\r\n", "\nother=2\n"].map((end) => Buffer.concat([toBeTried(), Buffer.from(end)]));
spoilt.push(Buffer.concat([toBeTried().subarray(0, 1023), Buffer.from("\n")]));
const whole = spoilt.map((bytes) => {
  const { state, others } = readBootState(bytes);
  return Buffer.from(blockOf(state, others));
});
const unit = fc.constantFrom("boot_alternative=", "boot_cycle=", "A", "B", "\n", "\\", "#", "=", "stable", "first_boot", "failsafe_check");
const garbage = fc.sample(fc.string({ unit, maxLength: 40 }), { seed: SEED, numRuns: GARBAGE }).map((lines) => block(lines));
const cases = [...sound, ...broken, ...spoilt, ...whole, ...garbage];

/** grub.cfg up to where it knows what it boots, once for each file. */
async function manyTimes(count: number): Promise<string> {
  const [head, rest] = (await grubConfiguration()).split('set state="($disk,gpt2)/grubenv"\n');
  const [decision, loading] = (rest ?? "").split("# boot_args belongs to");
  if (loading === undefined) throw new Error("grub.cfg is not what this test takes it for");
  const numbers = Array.from({ length: count }, (_, number) => number).join(" ");
  // A value of another case must not pass for one of this one.
  const loop = `for n in ${numbers}; do\nset state="($disk,gpt2)/in/$n"\n${decision}\necho "case $n: $root $system $trial"\ndone\n`;
  return `${head}\n${loop}echo all done\nsleep 600\n`;
}

interface Decided {
  readonly boots: string;
  readonly block: Buffer | undefined;
}

async function decidedByGrub(folder: string): Promise<readonly Decided[]> {
  const disk = join(folder, "disk.img");
  const work = join(folder, "work");
  const out = join(folder, "out");
  await Promise.all([mkdir(work), mkdir(out)]);
  const partitions = partitionsOf("lab").slice(0, 2);
  await writeFile(disk, "");
  await truncate(disk, diskMiB(partitions) * MIB);
  await run("sfdisk", ["--quiet", "--no-reread", "--no-tell-kernel", disk], { input: sfdiskScript(partitions) });
  const inputs = cases.flatMap((bytes, index) => (bytes === undefined ? [] : [[`in/${index}`, bytes] as const]));
  const files = [
    { "EFI/BOOT/BOOTX64.EFI": await makeGrubImage(join(work, "grub.efi")) },
    { "grub.cfg": await manyTimes(cases.length), ...Object.fromEntries(inputs) },
  ];
  for (const [index, partition] of partitions.entries()) await makeVfat(disk, { partition, files: files[index] ?? {}, work, epoch: 0 });

  const vm = await startVirtualMachine({
    name: "grubenv",
    disk: { path: disk, format: "raw" },
    network: false,
    labShell: false,
    memory: 512,
  });
  try {
    await vm.waitForSerial(/^all done/m, { timeout: BOOT_TIMEOUT });
  } finally {
    await vm.powerCut();
  }
  const said = new Map(
    [...printable(vm.serial.text).matchAll(/^case (\d+): (.*)$/gm)].map(([, number, text = ""]) => [Number(number), text.trim()]),
  );
  const offset = (partitions[1]?.startMiB ?? 0) * MIB;
  await run("mcopy", ["-n", "-i", `${disk}@@${offset}`, "::in/*", out]);
  const left = new Set(await readdir(out));
  return Promise.all(
    cases.map(async (_, index) => ({
      boots: said.get(index) ?? "nothing was said",
      block: left.has(String(index)) ? await readFile(join(out, String(index))) : undefined,
    })),
  );
}

test("GRUB in the firmware boots what we say that it boots, tells its kernel of trials alone, and leaves the block that we say", async ({
  annotate,
}) => {
  const folder = join(buildFolder, "vm");
  await mkdir(folder, { recursive: true });
  const decided = await withPanicRetry(async () => inTemporaryFolder(folder, decidedByGrub));
  await annotate(`blocks: ${cases.length}, of which garbage (seed ${SEED}): ${GARBAGE}`);
  const expected = cases.map((bytes) => {
    const { slot, block: left } = grubBoot(bytes);
    const trial = readBootState(bytes).state.cycle === "first_boot" ? " guestos-boot.trial" : "";
    return { boots: `hd0,gpt${slot === "A" ? 4 : 7} ${slot}${trial}`, block: left };
  });
  for (const [index, bytes] of cases.entries()) {
    const { boots, block: left } = decided[index] ?? { boots: "", block: undefined };
    const text = `${index}: ${JSON.stringify(bytes?.toString("latin1").replace(/#+$/, ""))}`;
    expect(boots, text).toBe(expected[index]?.boots);
    expect(left?.toString("latin1"), text).toBe(
      expected[index]?.block === undefined ? undefined : Buffer.from(expected[index].block).toString("latin1"),
    );
  }
  const saved = (bytes: Buffer): boolean => decided[cases.indexOf(bytes)]?.block?.includes("\nboot_cycle=failsafe_check\n") === true;
  expect([spoilt.map(saved), whole.map(saved)]).toEqual([spoilt.map(() => false), whole.map(() => true)]);
});
