import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { namesIn } from "../../../../src/system/disks/gpt.ts";
import { systemHost } from "../../../../src/system/host.ts";
import { addPartition, readPartitionTable } from "../../../../src/system/disks/sfdisk.ts";

const MIB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "partition-table-"));
afterAll(() => rmSync(folder, { recursive: true }));
const host = systemHost({ signal: new AbortController().signal });

function disk(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, "");
  truncateSync(path, 64 * MIB);
  const table = ["esp", "grub", "config", "A_boot", "A_root", "A_var", "B_boot", "B_root", "B_var"].map(
    (label) => `size=4M, name=${label}`,
  );
  execFileSync("sfdisk", ["--quiet", path], { input: `label: gpt\n${table.join("\n")}\n` });
  return path;
}

test("the store is added behind the others, on the disk as it is and on one that was enlarged", async () => {
  for (const size of [64, 200]) {
    const path = disk(`disk-${size}`);
    truncateSync(path, size * MIB);
    const table = await readPartitionTable(host, path);
    const labels = ["esp", "grub", "config", "A_boot", "A_root", "A_var", "B_boot", "B_root", "B_var"];
    expect(table).toMatchObject({ end: 37 * MIB, sectorBytes: 512 });
    expect(table.partitions.map(({ label }) => label)).toEqual(labels);
    await addPartition(host, path, { number: 10, label: "store", start: table.end });
    const after = await readPartitionTable(host, path);
    expect(after.partitions.map(({ label }) => label)).toContain("store");
    // All of the rest but the backup GPT, which moved to the new end.
    expect(after.end).toBeGreaterThanOrEqual((size - 1) * MIB);
    expect(execFileSync("sfdisk", ["--verify", path], { encoding: "utf8" })).toContain("No errors detected");
  }
});

test("a second partition of that number is refused by the tool, and the table stays as it was", async () => {
  const path = disk("taken");
  await addPartition(host, path, { number: 10, label: "store", start: 37 * MIB });
  const before = readFileSync(path);
  await expect(addPartition(host, path, { number: 10, label: "store", start: 37 * MIB })).rejects.toThrow(/sfdisk/);
  expect(readFileSync(path).equals(before)).toBe(true);
});

test("names are read from the table on the disk by number", async () => {
  const path = disk("names");
  await addPartition(host, path, { number: 10, label: "store", start: 37 * MIB });
  // sfdisk writes 128 entries of 128 bytes from the third sector on.
  const names = namesIn(readFileSync(path).subarray(1024, 1024 + 128 * 128), 128);
  expect([...names]).toEqual(
    ["esp", "grub", "config", "A_boot", "A_root", "A_var", "B_boot", "B_root", "B_var", "store"].map((label, index) => [index + 1, label]),
  );
});
