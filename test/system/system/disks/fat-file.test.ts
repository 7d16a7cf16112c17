import { spawnSync } from "node:child_process";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { ProblemError } from "../../../../src/base/problem.ts";
import { findFatFile } from "../../../../src/system/disks/fat-file.ts";
import { systemHost } from "../../../../src/system/host.ts";
import { namespaceRoot } from "../../../support/namespace.ts";
import { problemOf } from "../../../support/problem-of.ts";

const MIB = 1024 * 1024;
const CONTENT = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251));
let root: string;
let disk: string;
beforeEach(() => {
  root = namespaceRoot();
  disk = join(root, "disk");
});

function tool(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
}

/** A file system of that many bytes, as mkfs.vfat makes it, with files in it as mtools write them. */
function fileSystem(bytes: number, options: readonly string[], names: readonly string[]): void {
  writeFileSync(disk, "");
  truncateSync(disk, bytes);
  tool("mkfs.vfat", ...options, disk);
  writeFileSync(join(root, "content"), CONTENT);
  for (const name of names) tool("mcopy", "-i", disk, join(root, "content"), `::${name}`);
}

const find = async (name: string, start = 0, bytes = Infinity) => findFatFile(systemHost(), disk, { start, bytes }, name);

/** What is in the file, by where it is said to be. */
async function contentOf(name: string): Promise<Buffer | undefined> {
  const file = await find(name);
  const whole = readFileSync(disk);
  return file === undefined
    ? undefined
    : Buffer.concat(file.clusters.map(({ start, bytes }) => whole.subarray(start, start + bytes))).subarray(0, file.bytes);
}

const NAMES = ["first", "grubenv", "A long name.with dots", "CAPITALS.TXT", ".grubenv.new"];

test.each([
  ["FAT12", 2 * MIB, ["-F", "12", "-s", "1"]],
  ["FAT12 with clusters of 8 KiB", 16 * MIB, ["-F", "12", "-s", "16"]],
  ["FAT16", 8 * MIB, ["-F", "16", "-s", "1"]],
  ["FAT16 of a production image", 100 * MIB, []],
  ["FAT32", 64 * MIB, ["-F", "32", "-s", "1"]],
  ["FAT32 with sectors of 4096 bytes", 300 * MIB, ["-F", "32", "-S", "4096"]],
] as const)("%s: each file is where it is said to be", async (_, bytes, options) => {
  fileSystem(bytes, options, NAMES);
  for (const name of NAMES) expect(await contentOf(name), name).toEqual(CONTENT);
  expect(await contentOf("GRUBENV")).toEqual(CONTENT);
  expect(await find("grubenv2")).toBeUndefined();
});

test("a file in many pieces is found whole", async () => {
  fileSystem(
    2 * MIB,
    ["-F", "12", "-s", "1"],
    Array.from({ length: 20 }, (_, index) => `f${index}`),
  );
  for (let index = 0; index < 20; index += 2) tool("mdel", "-i", disk, `::f${index}`);
  const large = Buffer.concat([CONTENT, CONTENT, CONTENT]);
  writeFileSync(join(root, "content"), large);
  tool("mcopy", "-i", disk, join(root, "content"), "::grubenv");
  expect(await contentOf("grubenv")).toEqual(large);
});

test("a deleted file, a folder and a label are no files", async () => {
  fileSystem(2 * MIB, ["-n", "GRUBENV"], ["gone"]);
  tool("mdel", "-i", disk, "::gone");
  tool("mmd", "-i", disk, "::folder");
  for (const name of ["gone", "folder", "grubenv"]) expect(await find(name)).toBeUndefined();
});

test("what is no FAT, and what goes beyond its partition, is an error", async () => {
  writeFileSync(disk, Buffer.alloc(MIB));
  expect(await problemOf(async () => find("grubenv"))).toMatchObject({ code: "fat-unreadable" });
  fileSystem(8 * MIB, [], ["grubenv"]);
  expect(await problemOf(async () => find("grubenv", 0, 1024))).toMatchObject({ code: "fat-unreadable" });
  truncateSync(disk, 4096);
  expect(await problemOf(async () => find("grubenv"))).toMatchObject({ code: "fat-unreadable" });
});

test("a file beyond the partition is an error, though the boot sector says that there is room", async () => {
  fileSystem(8 * MIB, ["-F", "16", "-s", "1"], ["grubenv"]);
  const bytes = readFileSync(disk);
  const entry = bytes.indexOf("GRUBENV ", 0, "latin1");
  // More sectors than the partition has, and a first cluster among them. FAT16 has at most 65524 clusters.
  bytes.writeUInt16LE(60_000, 19);
  bytes.writeUInt16LE(59_000, entry + 26);
  writeFileSync(disk, bytes);
  expect(await problemOf(async () => find("grubenv", 0, bytes.length))).toMatchObject({ code: "fat-unreadable" });
});

test("whatever bytes are changed, a search ends, with an answer within the partition or an error that is one", async () => {
  fileSystem(2 * MIB, ["-F", "12", "-s", "1"], ["grubenv"]);
  const whole = readFileSync(disk);
  // Boot sector, both tables, the topmost folder: whatever is read on the way.
  const place = fc.oneof(fc.nat(63), fc.nat(30_000));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(place, fc.nat(255)), { minLength: 1, maxLength: 6 }), async (changes) => {
      const changed = Buffer.from(whole);
      for (const [at, byte] of changes) changed[at] = byte;
      const host = { ...systemHost(), readAt: async (_: string, from: number, length: number) => changed.subarray(from, from + length) };
      try {
        const file = await findFatFile(host, disk, { start: 0, bytes: changed.length }, "grubenv");
        for (const { start, bytes } of file?.clusters ?? []) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(start + bytes).toBeLessThanOrEqual(changed.length);
        }
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
