import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { isCleanExt4, saysCleanExt4, saysCleanFat } from "../../../../src/system/disks/clean-file-system.ts";
import { checkFileSystem } from "../../../../src/system/disks/fsck.ts";
import { systemHost } from "../../../../src/system/host.ts";

const folder = mkdtempSync(join(tmpdir(), "clean-file-system-"));
afterAll(() => rmSync(folder, { recursive: true }));
const tools: string[] = [];
const host = systemHost({
  signal: new AbortController().signal,
  onTool: ({ program }) => {
    tools.push(program);
    return () => undefined;
  },
});

function sized(name: string, mebibytes: number): string {
  const path = join(folder, name);
  writeFileSync(path, "");
  truncateSync(path, mebibytes * 1024 * 1024);
  return path;
}

function ext4(name: string, ...options: readonly string[]): string {
  const path = sized(name, 40);
  execFileSync("mkfs.ext4", ["-q", "-F", ...options, path]);
  return path;
}

/** The image as it is while it is mounted and written to: what a power cut leaves. */
function cutWhileMounted(image: string, copy: string): string {
  const [mountPoint, cut] = [join(folder, "mounted"), join(folder, copy)];
  mkdirSync(mountPoint, { recursive: true });
  execFileSync("mount", ["-o", "loop", image, mountPoint]);
  writeFileSync(join(mountPoint, "file"), "written");
  execFileSync("sync", ["--file-system", mountPoint]);
  copyFileSync(image, cut);
  execFileSync("umount", [mountPoint]);
  return cut;
}

function debugfs(image: string, request: string): void {
  execFileSync("debugfs", ["-w", "-R", request, image], { stdio: "ignore" });
}

describe("ext4", () => {
  test("a new one and one that was unmounted are clean, e2fsck thinks so too, and it is not started for them", async () => {
    const image = ext4("new");
    expect(await saysCleanExt4(host, image)).toBe(true);
    expect(spawnSync("e2fsck", ["-p", image], { encoding: "utf8" })).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(": clean,"),
    });
    cutWhileMounted(image, "ignored");
    expect(await saysCleanExt4(host, image)).toBe(true);
    expect(spawnSync("e2fsck", ["-p", image], { encoding: "utf8" })).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(": clean,"),
    });
    tools.length = 0;
    expect(await checkFileSystem(host, "ext4", image)).toBe(false);
    expect(tools).toEqual([]);
  });

  test("one that was in use at a power cut is not, and e2fsck is left to replay its journal", async () => {
    const image = cutWhileMounted(ext4("used"), "cut");
    expect(await saysCleanExt4(host, image)).toBe(false);
    tools.length = 0;
    await checkFileSystem(host, "ext4", image);
    expect(tools).toEqual(["e2fsck"]);
    expect(await saysCleanExt4(host, image)).toBe(true);
  });

  test.each([
    ["that was not unmounted", "set_super_value state 0"],
    ["with errors", "set_super_value state 3"],
    ["whose errors were counted", "set_super_value error_count 1"],
    ["with orphans", "set_super_value last_orphan 12"],
  ])("one %s is not", async (_, request) => {
    const image = ext4("marked");
    debugfs(image, request);
    expect(await saysCleanExt4(host, image)).toBe(false);
  });

  test.each([
    ["by the number of mounts", ["-c", "3", "-C", "3"]],
    ["by time", ["-i", "1d"]],
  ])("one that may be due for a check %s is not", async (_, options) => {
    const image = ext4("due");
    execFileSync("tune2fs", [...options, image], { stdio: "ignore" });
    expect(await saysCleanExt4(host, image)).toBe(false);
  });

  test("one that is not due yet is", async () => {
    const image = ext4("not-due");
    execFileSync("tune2fs", ["-c", "3", "-C", "2", image], { stdio: "ignore" });
    expect(await saysCleanExt4(host, image)).toBe(true);
  });

  test("one without checksums is left to e2fsck, and so is what is no ext4", async () => {
    expect(await saysCleanExt4(host, ext4("without", "-O", "^metadata_csum"))).toBe(false);
    expect(await saysCleanExt4(host, sized("zeros", 1))).toBe(false);
    expect(await saysCleanExt4(host, sized("empty", 0))).toBe(false);
    expect(await saysCleanExt4(host, join(folder, "absent"))).toBe(false);
  });

  test("no bit of a clean superblock can be another without that being seen", () => {
    const superblock = readFileSync(ext4("bits")).subarray(1024, 2048);
    expect(isCleanExt4(superblock)).toBe(true);
    fc.assert(
      fc.property(fc.nat({ max: 1024 * 8 - 1 }), (bit) => {
        const flipped = Buffer.from(superblock);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(isCleanExt4(flipped)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test("a device that cannot be read is an error, not an answer", async () => {
    await expect(saysCleanExt4(host, folder)).rejects.toThrow("EISDIR");
    await expect(saysCleanFat(host, folder)).rejects.toThrow("EISDIR");
  });
});

/** Where the two kinds keep what they say: Linux's byte, and the second entry's byte with the bits "clean" and "no errors". */
const KINDS = [
  { bits: 16, mebibytes: 33, state: 0x25, reserved: 4, entry: 3, clean: 0x80, sound: 0x40 },
  { bits: 32, mebibytes: 64, state: 0x41, reserved: 32, entry: 7, clean: 0x08, sound: 0x04 },
] as const;

describe.each(KINDS)("FAT$bits", ({ bits, mebibytes, state, reserved, entry, clean, sound }) => {
  const fat = (): string => {
    const path = sized(`fat${bits}`, mebibytes);
    execFileSync("mkfs.vfat", ["-F", String(bits), "-R", String(reserved), path]);
    return path;
  };
  const change = (path: string, offset: number, by: (byte: number) => number): void => {
    const bytes = readFileSync(path);
    bytes[offset] = by(bytes[offset] ?? 0);
    writeFileSync(path, bytes);
  };
  const table = reserved * 512;

  test("a new one is clean, fsck.vfat thinks so too, and it is not started for it", async () => {
    const path = fat();
    expect(await saysCleanFat(host, path)).toBe(true);
    expect(spawnSync("fsck.vfat", ["-n", path]).status).toBe(0);
    tools.length = 0;
    expect(await checkFileSystem(host, "vfat", path)).toBe(false);
    expect(tools).toEqual([]);
  });

  test("one that Linux has marked as in use is repaired by fsck.vfat, and clean then", async () => {
    const path = fat();
    change(path, state, (byte) => byte | 1);
    expect(await saysCleanFat(host, path)).toBe(false);
    expect(await checkFileSystem(host, "vfat", path)).toBe(true);
    expect(await saysCleanFat(host, path)).toBe(true);
  });

  test("one that firmware has marked as in use, or as damaged, is not clean", async () => {
    for (const bit of [clean, sound]) {
      const path = fat();
      change(path, table + entry, (byte) => byte & ~bit);
      expect(await saysCleanFat(host, path)).toBe(false);
    }
  });

  test("one whose boot sector is not sound is not clean", async () => {
    for (const offset of [12, 13, 16, 510]) {
      const path = fat();
      change(path, offset, () => 0);
      expect(await saysCleanFat(host, path)).toBe(false);
    }
  });
});

test("FAT12, and what is no FAT, is left to fsck.vfat", async () => {
  const path = sized("fat12", 4);
  execFileSync("mkfs.vfat", ["-F", "12", path]);
  expect(await saysCleanFat(host, path)).toBe(false);
  expect(await saysCleanFat(host, sized("no-fat", 1))).toBe(false);
  expect(await saysCleanFat(host, join(folder, "absent"))).toBe(false);
});
