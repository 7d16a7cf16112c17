import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { systemHost } from "../../../../src/system/host.ts";
import { contentOf } from "../../../../src/system/disks/signature.ts";
import { clearEnds, makeStorePartition } from "../../../../src/units/disks/store-partition.ts";

const MIB = 1024 * 1024;
const host = systemHost({ signal: new AbortController().signal });
let folder = "";
let device = "";

afterEach(() => {
  // Fails where there are none.
  spawnSync("partx", ["--delete", device]);
  execFileSync("losetup", ["--detach", device]);
  rmSync(folder, { recursive: true });
});

/** A disk with the nine partitions of an image, of which the last one ends at 37 MiB, or takes what is left. */
function disk(sectorBytes: number, bytes: number, last = "size=4M, name=B_var"): void {
  folder = mkdtempSync(join(tmpdir(), "store-partition-"));
  const path = join(folder, "disk");
  writeFileSync(path, "");
  truncateSync(path, bytes);
  device = execFileSync("losetup", ["--find", "--show", "--sector-size", String(sectorBytes), path], { encoding: "utf8" }).trim();
  const rows = ["esp", "grub", "config", "A_boot", "A_root", "A_var", "B_boot", "B_root"].map((label) => `size=4M, name=${label}`);
  execFileSync("sfdisk", ["--quiet", "--no-reread", "--no-tell-kernel", device], { input: `label: gpt\n${rows.join("\n")}\n${last}\n` });
}

function put(bytes: Buffer, at: number): void {
  const file = openSync(device, "r+");
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
  execFileSync("sync", [device]);
}

/** md(4), version 0.90: "in the last 64K"; linux/raid/md_p.h: magic, major, minor and patch, as 32-bit words in the order of the machine. */
function mdLabel(): Buffer {
  const label = Buffer.alloc(4096);
  [0xa92b4efc, 0, 90, 0].forEach((word, index) => label.writeUInt32LE(word, index * 4));
  return label;
}

test.each([512, 4096])(
  "old labels at both ends of its place are gone from a partition, on a disk with sectors of %s bytes",
  async (sectorBytes) => {
    disk(sectorBytes, 200 * MIB);
    // What a whole disk of mirrored partitions leaves: at each place where such a label may be for a partition that ends in the last MiB.
    for (let at = 199 * MIB - 128 * 1024; at <= 200 * MIB - 128 * 1024; at += 4096) put(mdLabel(), at);
    put(Buffer.from("LABELONE"), 37 * MIB + 512);
    await makeStorePartition(host, device.slice("/dev/".length), "store");
    const partition = `${device}p10`;
    expect(await contentOf(host, partition, { mustBeZero: true })).toEqual({ kind: "blank" });
    const bytes = Number(execFileSync("blockdev", ["--getsize64", partition], { encoding: "utf8" }));
    const last = Buffer.alloc(MIB, 1);
    const file = openSync(partition, "r");
    readSync(file, last, 0, MIB, bytes - MIB);
    closeSync(file);
    expect(last.equals(Buffer.alloc(MIB)), "up to its last byte").toBe(true);
    expect(execFileSync("sfdisk", ["--verify", device], { encoding: "utf8" })).toContain("No errors detected");
  },
);

test("a disk without room for it is refused before anything is written", async () => {
  disk(512, 64 * MIB, "name=B_var");
  await expect(makeStorePartition(host, device.slice("/dev/".length), "store")).rejects.toThrow(
    /^there is not enough space for the partition store/,
  );
  expect(execFileSync("sfdisk", ["--verify", device], { encoding: "utf8" })).toContain("No errors detected");
});

test("what is between the ends, and behind them, is left alone; a short range is zeroed whole", async () => {
  disk(512, 64 * MIB);
  put(Buffer.alloc(64 * 1024, 7), 40 * MIB);
  const at = (place: number): number => {
    const byte = Buffer.alloc(1);
    const file = openSync(device, "r");
    readSync(file, byte, 0, 1, place);
    closeSync(file);
    return byte[0] ?? -1;
  };
  await clearEnds(host, device, { start: 40 * MIB + 4096, end: 40 * MIB + 60 * 1024 }, 8192);
  const seen = [0, 4095, 4096, 12_287, 12_288, 52 * 1024 - 1, 52 * 1024, 60 * 1024 - 1, 60 * 1024].map((place) => at(40 * MIB + place));
  expect(seen).toEqual([7, 7, 0, 0, 7, 7, 0, 0, 7]);
  await clearEnds(host, device, { start: 40 * MIB, end: 40 * MIB + 10_000 }, 8192);
  expect([0, 9999, 12_288].map((place) => at(40 * MIB + place))).toEqual([0, 0, 7]);
});
