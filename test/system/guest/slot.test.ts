import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { withBootPartition } from "../../../src/guest/guest-disk.ts";
import { readGuestSlot, takeSlot, trySlot } from "../../../src/guest/slot.ts";
import { mountAt } from "../../../src/system/disks/mounts.ts";
import { type Host, systemHost } from "../../../src/system/host.ts";
import { blockOf, type BootState, grubBoot, readBootState } from "../../../src/upgrade/boot-state.ts";
import { bootFiles, guestDisk, testPlaces } from "../../support/guest-disk.ts";
import { atEveryEffect } from "../../support/interrupting-host.ts";
import { namespaceRoot } from "../../support/namespace.ts";
import { problemOf } from "../../support/problem-of.ts";

let root: string;
beforeEach(() => {
  root = namespaceRoot();
});

const block = (alternative: "A" | "B", cycle: BootState["cycle"]): Uint8Array => blockOf({ alternative, cycle, trial: undefined }, []);
const take = async (host: Host = systemHost()) => takeSlot(host, testPlaces(root), async () => undefined);
const mounted = (): string => readFileSync("/proc/self/mountinfo", "utf8");

test.each([
  ["A", "install", "A", "stable"],
  ["A", "stable", "A", "stable"],
  ["B", "stable", "B", "stable"],
  ["B", "first_boot", "B", "failsafe_check"],
  ["B", "failsafe_check", "A", "stable"],
] as const)("%s %s boots %s, and leaves %s", async (alternative, cycle, slot, after) => {
  const disk = guestDisk(root, block(alternative, cycle));
  expect(await readGuestSlot(systemHost(), testPlaces(root))).toMatchObject({ next: slot, onTrial: cycle === "first_boot" });
  const chosen = await take();
  expect(chosen).toMatchObject({
    slot,
    onTrial: cycle === "first_boot",
    fellBack: cycle === "failsafe_check",
    cmdline: `console=ttyS0 dfinity.system=${slot}`,
  });
  expect(readBootState(disk.block())).toMatchObject({ state: { alternative: slot, cycle: after }, faults: [] });
  expect(readFileSync(chosen.kernel)).toEqual(Buffer.from(bootFiles(slot, "hang")["vmlinuz"] ?? []));
  expect(statSync(chosen.kernel).mode & 0o777).toBe(0o600);
  expect(mounted()).not.toContain(root + "/run/guestos-boot-vm/boot");
});

test("without a block, A is booted, and none is made", async () => {
  const disk = guestDisk(root, block("B", "stable"));
  disk.setBlock(Buffer.from("garbage"));
  expect(await take()).toMatchObject({ slot: "A", onTrial: false });
  expect(Buffer.from(disk.block()).toString()).toBe("garbage");
});

const unusable: readonly (readonly [string, Readonly<Record<string, string | Uint8Array | undefined>>, string])[] = [
  ["no kernel", { vmlinuz: undefined }, "vmlinuz"],
  ["an empty kernel", { vmlinuz: "" }, "vmlinuz"],
  ["no initrd", { "initrd.img": undefined }, "initrd.img"],
  ["no boot_args", { boot_args: undefined }, "boot_args"],
  ["no line of its own in boot_args", { boot_args: 'BOOT_ARGS_A="x"\n' }, "BOOT_ARGS_B"],
  ["an open quote in boot_args", { boot_args: 'BOOT_ARGS_B="x\n' }, "BOOT_ARGS_B"],
  ["a line end among its arguments", { boot_args: String.raw`BOOT_ARGS_B="x\ny"` }, "BOOT_ARGS_B"],
];

test.each(unusable)("a new system with %s has had its try: the next start is the old one", async (_, files, what) => {
  const disk = guestDisk(root, block("B", "first_boot"));
  const whole = Object.entries({ ...bootFiles("B", "hang"), ...files });
  disk.slot("B", Object.fromEntries(whole.filter((entry): entry is [string, string | Uint8Array] => entry[1] !== undefined)));
  const problem = await problemOf(async () => take());
  expect(problem).toMatchObject({ code: "guest-slot-unusable" });
  expect(problem.found).toContain(what);
  expect(readBootState(disk.block()).state).toMatchObject({ alternative: "B", cycle: "failsafe_check" });
  expect(await take()).toMatchObject({ slot: "A", fellBack: true });
});

test("a stable system without a kernel is not left for the other one, and nothing is written", async () => {
  const disk = guestDisk(root, block("B", "stable"));
  disk.slot("B", {});
  const before = readFileSync(disk.path);
  for (const _ of [1, 2]) expect(await problemOf(async () => take())).toMatchObject({ code: "guest-slot-unusable" });
  expect(Buffer.compare(before, readFileSync(disk.path))).toBe(0);
});

test("a boot partition that is no file system is the slot's fault", async () => {
  const disk = guestDisk(root, block("B", "first_boot"));
  writeFileSync(join(root, "zeros"), Buffer.alloc(8 * 1024 * 1024));
  disk.put("B_boot", join(root, "zeros"));
  expect(await problemOf(async () => take())).toMatchObject({ code: "guest-partition-unusable" });
  expect(await take()).toMatchObject({ slot: "A" });
});

test.each([
  ["/", "guest-partition-unusable"],
  ["/vmlinuz", "guest-partition-damaged"],
  ["/boot_args", "guest-partition-damaged"],
])("a new system whose boot partition is damaged at %s has had its try: the next start is the old one", async (file, code) => {
  const disk = guestDisk(root, block("B", "first_boot"));
  disk.damage("B", file);
  expect(await problemOf(async () => take())).toMatchObject({ code });
  expect(readBootState(disk.block()).state).toMatchObject({ alternative: "B", cycle: "failsafe_check" });
  expect(mounted()).not.toContain(root + "/run/guestos-boot-vm/boot");
  expect(await take()).toMatchObject({ slot: "A", fellBack: true });
});

test.each([
  [74, "guest-partition-damaged", "failsafe_check"],
  [117, "guest-partition-damaged", "failsafe_check"],
  // A disk that fails may be the host's.
  [5, undefined, "first_boot"],
])("an error %d while the kernel is copied", async (errno, code, cycle) => {
  const disk = guestDisk(root, block("B", "first_boot"));
  const host = systemHost();
  const broken: Host = {
    ...host,
    async readAt(path, offset, length) {
      if (path.endsWith("/vmlinuz")) throw Object.assign(new Error("cannot read"), { errno: -errno, code: "X", syscall: "read", path });
      return host.readAt(path, offset, length);
    },
  };
  if (code === undefined) await expect(take(broken)).rejects.toThrow("cannot read");
  else expect(await problemOf(async () => take(broken))).toMatchObject({ code });
  expect(readBootState(disk.block()).state).toMatchObject({ cycle });
});

test("the guest's file system does not say what the host's kernel does about damage", async () => {
  const disk = guestDisk(root, block("A", "stable"));
  disk.onDamage("A", "panic");
  const places = testPlaces(root);
  const found = await withBootPartition(systemHost(), places, places.partitions.boot("A"), async (folder) => mountAt(systemHost(), folder));
  // The kernel tells it where it differs from what the superblock says.
  expect(found?.superOptions).toContain("errors=continue");
});

test("a link in the guest's partition leads nowhere on the host", async () => {
  const disk = guestDisk(root, block("A", "stable"));
  const content = join(root, "links");
  mkdirSync(content);
  for (const [name, bytes] of Object.entries(bootFiles("A", "hang"))) if (name !== "vmlinuz") writeFileSync(join(content, name), bytes);
  symlinkSync("/etc/shadow", join(content, "vmlinuz"));
  disk.folder("A", content);
  expect(await problemOf(async () => take())).toMatchObject({ code: "guest-slot-unusable", found: expect.stringContaining("link") });
});

test("a host without space says so, and the try is not consumed", async () => {
  const disk = guestDisk(root, block("B", "first_boot"));
  const host: Host = { ...systemHost(), space: async () => ({ total: 1000, free: 10 }) };
  expect(await problemOf(async () => take(host))).toMatchObject({ code: "no-space-for-guest" });
  expect(readBootState(disk.block()).state).toMatchObject({ cycle: "first_boot" });
});

test("a disk without partitions is an error", async () => {
  writeFileSync(join(root, "guest-disk"), Buffer.alloc(1024 * 1024));
  await expect(take()).rejects.toThrow("sfdisk");
});

test.each([
  ["first_boot", ["B", "A"]],
  ["failsafe_check", ["A"]],
  ["install", ["B"]],
  ["stable", ["B"]],
] as const)("after a power cut at any effect of a choice from %s, a guest starts, and nothing is mounted twice", async (cycle, slots) => {
  const cuts = await atEveryEffect(
    async () => {
      root = namespaceRoot();
      return guestDisk(root, block("B", cycle));
    },
    async (_, interrupt) => take(interrupt(systemHost())),
    async (disk) => {
      const { slot } = grubBoot(disk.block());
      expect(slots).toContain(slot);
      expect(readBootState(disk.block()).readable).toBe(true);
      // On the next start of the host: what is in the way, it takes away.
      expect(await take()).toMatchObject({ slot });
      expect(readdirSync(join(root, "run/guestos-boot-vm/boot"))).toEqual([]);
    },
  );
  expect(cuts).toBeGreaterThan(9);
});

test.each(["first_boot", "failsafe_check", "install", "stable"] as const)("a choice from %s is given back", async (cycle) => {
  const before = block("B", cycle);
  const disk = guestDisk(root, before);
  const { slot, giveBack } = await take();
  await giveBack();
  expect(Buffer.from(disk.block())).toEqual(Buffer.from(before));
  expect(await take()).toMatchObject({ slot });
  // The guest has written another one since.
  disk.setBlock(block("A", "install"));
  await giveBack();
  expect(readBootState(disk.block()).state).toMatchObject({ alternative: "A", cycle: "install" });
});

test("after a power cut at any effect of a choice that is given back, the block is the one before, or that of the choice", async () => {
  const before = Buffer.from(block("B", "first_boot"));
  const after = Buffer.from(grubBoot(before).block ?? []);
  const cuts = await atEveryEffect(
    async () => {
      root = namespaceRoot();
      return guestDisk(root, before);
    },
    async (_, interrupt) => (await take(interrupt(systemHost()))).giveBack(),
    async (disk) => expect([before, after]).toContainEqual(Buffer.from(disk.block())),
  );
  expect(cuts).toBeGreaterThan(10);
});

test("a slot that a person chose is tried once, and left when it is not confirmed", async () => {
  const disk = guestDisk(root, block("A", "stable"));
  await trySlot(systemHost(), testPlaces(root), "B");
  expect(readBootState(disk.block())).toMatchObject({ state: { alternative: "B", cycle: "first_boot", trial: "B" }, faults: [] });
  expect(await take()).toMatchObject({ slot: "B", onTrial: true });
  expect(await take()).toMatchObject({ slot: "A", fellBack: true });
});

test("a slot that cannot be started is not chosen, and nothing is written", async () => {
  const disk = guestDisk(root, block("A", "stable"));
  disk.slot("B", {});
  const before = readFileSync(disk.path);
  expect(await problemOf(async () => trySlot(systemHost(), testPlaces(root), "B"))).toMatchObject({ code: "guest-slot-unusable" });
  expect(Buffer.compare(before, readFileSync(disk.path))).toBe(0);
});

test("after a power cut at any effect of a choice by a person, a guest starts", async () => {
  const cuts = await atEveryEffect(
    async () => {
      root = namespaceRoot();
      return guestDisk(root, block("A", "stable"));
    },
    async (_, interrupt) => trySlot(interrupt(systemHost()), testPlaces(root), "B"),
    async (disk) => {
      expect(readBootState(disk.block()).readable).toBe(true);
      const { slot } = grubBoot(disk.block());
      expect(await take()).toMatchObject({ slot });
    },
  );
  expect(cuts).toBeGreaterThan(3);
});
