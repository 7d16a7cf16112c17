import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PartitionContent } from "../../crash/partition-content.ts";
import { RawDisk } from "../../crash/raw-disk.ts";

const MIB = 1024 * 1024;

test("a byte that is another is found wherever it is, also when it is taken back", async () => {
  const folder = await mkdtemp(join(tmpdir(), "partition-content-"));
  try {
    const [path, image] = [join(folder, "disk"), join(folder, "image")];
    const bytes = Buffer.from(Array.from({ length: 2 * MIB + 4096 }, (_, n) => n % 251));
    await writeFile(path, Buffer.concat([Buffer.alloc(MIB), bytes, Buffer.alloc(MIB)]));
    await writeFile(image, Buffer.concat([Buffer.alloc(512), bytes]));
    using disk = new RawDisk(path);
    const partition = new PartitionContent(MIB, { path: image, offset: 512, bytes: bytes.length });
    expect(partition.isWhole(disk, [{ offset: 0, length: disk.size }])).toBe(true);
    for (const [at, isInside] of [
      [MIB - 1, false],
      [MIB, true],
      [2 * MIB, true],
      [MIB + bytes.length - 1, true],
      [MIB + bytes.length, false],
    ] as const) {
      const write = { offset: at, length: 1, bytes: Buffer.of(255) };
      await disk.with([write], () => expect(partition.isWhole(disk, [write]), `byte ${at}`).toBe(!isInside));
      expect(partition.isWhole(disk, [])).toBe(!isInside);
      expect(partition.isWhole(disk, [write])).toBe(true);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
