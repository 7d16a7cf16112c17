import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isConflict } from "../../../../src/boot/unit.ts";
import { mountAt } from "../../../../src/system/disks/mounts.ts";
import { type CheckedMount, mountActions, planMounts } from "../../../../src/units/disks/checked-mounts.ts";
import { type NamespaceMachine, namespaceMachine } from "../../../support/namespace-machine.ts";

/** An ext4 in a file that has to be mounted at /NAME, and the table of mount(8) takes care of the loop device. */
function ext4({ at }: NamespaceMachine, name: string, options: readonly string[] = []): CheckedMount {
  const [source, mountPoint] = [at(`/${name}.img`), at(`/${name} of the node`)];
  writeFileSync(source, "");
  truncateSync(source, 16 * 1024 * 1024);
  execFileSync("mkfs.ext4", ["-q", "-F", ...options, source]);
  mkdirSync(mountPoint);
  return { source, mountPoint, fileSystem: "ext4", options: ["loop", "nodev", "noexec"], place: name, repaired: `${name} was repaired` };
}

async function run(machine: NamespaceMachine, wanted: readonly CheckedMount[]): Promise<readonly string[]> {
  const actions = mountActions(machine, "unit", wanted);
  for (const action of actions) await action.run();
  return actions.map(({ description }) => description);
}

const programs = ({ tools }: NamespaceMachine): readonly string[] => tools.map(({ program }) => program);

test("clean file systems are mounted by one process, with their options, in order", async () => {
  const machine = namespaceMachine({});
  const [first, second] = [ext4(machine, "first"), ext4(machine, "second")];
  expect(await run(machine, [first, second])).toEqual([`check and mount first at ${first.mountPoint}, second at ${second.mountPoint}`]);
  expect(programs(machine)).toEqual(["mount"]);
  for (const { mountPoint } of [first, second]) {
    expect((await mountAt(machine.host, mountPoint))?.options).toEqual(expect.arrayContaining(["nodev", "noexec"]));
  }
  expect(machine.notes).toEqual([]);
  machine.reboot();
});

test("one that is not clean is checked before, and only that one", async () => {
  const machine = namespaceMachine({});
  const [first, second] = [ext4(machine, "first"), ext4(machine, "second")];
  execFileSync("debugfs", ["-w", "-R", "set_super_value state 0", second.source], { stdio: "ignore" });
  await run(machine, [first, second]);
  expect(machine.tools.map(({ program, args }) => [program, args.at(-1)])).toEqual([
    ["e2fsck", second.source],
    ["mount", machine.at("/run/guestos-boot/unit.fstab")],
  ]);
  machine.reboot();
});

test("when one cannot be mounted the others are, and the careful way names it", async () => {
  const machine = namespaceMachine({});
  const [first, broken, third] = [ext4(machine, "first"), ext4(machine, "broken"), ext4(machine, "third")];
  // Its superblock says that it is clean; what the descriptors lead to is lost, and so are the copies.
  const image = readFileSync(broken.source);
  writeFileSync(broken.source, Buffer.concat([image.subarray(0, 2048), Buffer.alloc(image.length - 2048)]));
  await expect(run(machine, [first, broken, third])).rejects.toMatchObject({
    problem: { what: `the ext4 file system on ${broken.source} is damaged and cannot be repaired without a decision` },
  });
  expect(programs(machine)).toEqual(["mount", "e2fsck"]);
  expect(await mountAt(machine.host, first.mountPoint)).toBeDefined();
  expect(await mountAt(machine.host, third.mountPoint)).toBeDefined();
  expect(statSync(machine.at("/run/guestos-boot")).isDirectory()).toBe(true);
  machine.reboot();
});

/** Half of the superblock as it is written when the state changes, and half of it as it was. */
function tear(path: string): void {
  const before = readFileSync(path);
  execFileSync("debugfs", ["-w", "-R", "set_super_value mtime 20260101", path], { stdio: "ignore" });
  const after = readFileSync(path);
  const first = 1024 + 512;
  expect(after.subarray(1024, first).equals(before.subarray(1024, first))).toBe(false);
  writeFileSync(path, Buffer.concat([after.subarray(0, first), before.subarray(first)]));
}

test("a superblock that was written by half is repaired, also where there is no copy of it", async () => {
  const machine = namespaceMachine({});
  const torn = ext4(machine, "torn", ["-b", "4096"]);
  execFileSync("debugfs", ["-w", "-R", `write ${import.meta.filename} kept`, torn.source], { stdio: "ignore" });
  tear(torn.source);
  await run(machine, [torn]);
  expect(programs(machine)).toEqual(["e2fsck", "debugfs", "e2fsck", "mount"]);
  expect(machine.notes).toEqual(["torn was repaired"]);
  expect(readFileSync(`${torn.mountPoint}/kept`, "utf8")).toBe(readFileSync(import.meta.filename, "utf8"));
  machine.reboot();
});

// super.rst: the blocks of a group, and with it where everything is; the blocks that are reserved, which debugfs takes and e2fsck does not.
test.each([
  [77, 0x20],
  [0xffffffff, 0x8],
])("a superblock of which more is wrong than its halves is not taken, and left as it was: %i at %i", async (value, offset) => {
  const machine = namespaceMachine({});
  const wrong = ext4(machine, "wrong", ["-b", "4096"]);
  const image = readFileSync(wrong.source);
  image.writeUInt32LE(value, 1024 + offset);
  writeFileSync(wrong.source, image);
  await expect(run(machine, [wrong])).rejects.toThrow(/is damaged and cannot be repaired without a decision/);
  expect(readFileSync(wrong.source).equals(image), "not a byte is another").toBe(true);
  expect(await mountAt(machine.host, wrong.mountPoint)).toBeUndefined();
});

// While ext4 is mounted for writing it needs recovery (super.rst, INCOMPAT_RECOVER), as after a power cut.
test("one that is mounted elsewhere is in use, not damaged: it is not checked", async () => {
  const machine = namespaceMachine({});
  const wanted = ext4(machine, "shared");
  const source = execFileSync("losetup", ["--find", "--show", wanted.source], { encoding: "utf8" }).trim();
  try {
    const elsewhere = machine.at("/elsewhere");
    mkdirSync(elsewhere);
    execFileSync("mount", [source, elsewhere]);
    await run(machine, [{ ...wanted, source, options: ["nodev"] }]);
    expect(programs(machine)).toEqual(["mount"]);
    expect(machine.notes).toEqual([]);
    expect(await mountAt(machine.host, wanted.mountPoint)).toMatchObject({ source });
    machine.reboot();
  } finally {
    execFileSync("losetup", ["--detach", source]);
  }
});

test("what a mount needs is made true before anything is touched, and its failure is told", async () => {
  const machine = namespaceMachine({});
  const prepare = async (): Promise<never> => Promise.reject(new Error("not ours"));
  await expect(run(machine, [{ ...ext4(machine, "first"), prepare }])).rejects.toThrow("not ours");
  expect(programs(machine)).toEqual([]);
});

test("a conflict at one place stops the others too, and nothing missing is no action", () => {
  const machine = namespaceMachine({});
  const conflict = { conflict: { code: "test-problem", what: "something else is mounted" } };
  expect(planMounts(machine, "unit", [undefined, ext4(machine, "first"), conflict])).toEqual(conflict);
  expect(isConflict(planMounts(machine, "unit", [undefined, undefined]))).toBe(false);
  expect(planMounts(machine, "unit", [undefined, undefined])).toEqual([]);
});
