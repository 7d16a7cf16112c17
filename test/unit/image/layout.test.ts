import { expect, test } from "vitest";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { bootArgs, freshGrubenv } from "../../../image/grub.ts";
import { diskMiB, kernelArguments, partitionNamed, partitionsOf, rootBytes } from "../../../image/layout.ts";
import { firstMirror } from "../../../image/options.ts";
import { rootHashIn } from "../../../src/upgrade/root-hash.ts";

const hash = "0123456789abcdef".repeat(4);

for (const layout of ["lab", "prod"] as const) {
  test(`the ${layout} image has the nine partitions that the boot chain expects, one behind the other`, () => {
    const partitions = partitionsOf(layout);
    const { esp, grub, config, boot, root, var: varOf } = guestosLayout.partitions;
    expect(partitions.map(({ number, name }) => [number, name])).toEqual(
      [esp, grub, config, boot("A"), root("A"), varOf("A"), boot("B"), root("B"), varOf("B")].map((name, index) => [index + 1, name]),
    );
    let end = 1;
    for (const { startMiB, sizeMiB } of partitions) {
      expect(startMiB).toBe(end);
      end += sizeMiB;
    }
    expect(diskMiB(partitions)).toBe(end + 1);
    expect(new Set(partitions.map(({ uuid }) => uuid)).size).toBe(9);
  });

  test(`each slot of the ${layout} image boots its own root, and says which it is`, () => {
    const partitions = partitionsOf(layout);
    const verified = { hash, offset: rootBytes(layout) };
    for (const slot of ["A", "B"] as const) {
      const words = kernelArguments(slot, partitions, verified).split(" ");
      const root = partitions.find(({ name }) => name === `${slot}_root`);
      expect(words).toContain(`root=PARTUUID=${root?.uuid.toLowerCase()}`);
      expect(words).toContain(`dfinity.system=${slot}`);
      // A kernel that panics restarts, so that GRUB can fall back; nothing but the boot chain mounts anything.
      expect(words).toEqual(expect.arrayContaining(["ro", "panic=10", "systemd.gpt_auto=no"]));
    }
    const own = (slot: "A" | "B"): string => kernelArguments(slot, partitions, verified);
    expect(bootArgs(own)).toContain(kernelArguments("B", partitions, verified));
    // What an install reads there is what the kernel gets.
    for (const slot of ["A", "B"] as const) expect(rootHashIn(bootArgs(own), slot)).toEqual(verified);
  });

  test(`the hash tree of the ${layout} image has room behind the file system`, () => {
    // A digest of 32 bytes for each block, and for each block of digests again; 4096 bytes each, and one block for the superblock.
    let [blocks, level] = [1, rootBytes(layout) / 4096];
    while (level > 1) blocks += level = Math.ceil((level * 32) / 4096);
    expect(rootBytes(layout) + blocks * 4096).toBeLessThanOrEqual(partitionNamed(partitionsOf(layout), "A_root").sizeMiB * 1024 * 1024);
  });
}

test("a fresh environment block is one that GRUB can read: 1024 bytes, signed, padded", () => {
  const block = freshGrubenv();
  expect(Buffer.byteLength(block)).toBe(1024);
  expect(block).toMatch(/^# GRUB Environment Block\n/);
  expect(block).toContain("boot_alternative=A\n");
  expect(block).toContain("boot_cycle=install\n");
  expect(block).toMatch(/\n#+$/);
});

test("the archive is the first one that the machine itself uses, in either format of its list", () => {
  expect(firstMirror("Types: deb\n# comment\nURIs: http://archive.example/debian\nSuites: trixie\n")).toBe("http://archive.example/debian");
  expect(firstMirror("# deb http://old.example/debian x\ndeb [arch=amd64] http://archive.example/debian trixie main\n")).toBe(
    "http://archive.example/debian",
  );
  expect(firstMirror("# nothing here\n")).toBeUndefined();
});
