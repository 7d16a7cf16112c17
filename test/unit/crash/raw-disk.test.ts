import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import type { DiskWrite } from "../../crash/crash-states.ts";
import { RawDisk } from "../../crash/raw-disk.ts";

const folder = mkdtempSync(join(tmpdir(), "raw-disk-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SECTORS = 16;
const SECTOR = 4096;
const blank = Buffer.from(Array.from({ length: SECTORS * SECTOR }, (_, n) => n % 249));

/** A sector or a few, with bytes or as a discard; they overlap in any order. */
const write = fc
  .record({ from: fc.nat(SECTORS - 1), count: fc.integer({ min: 1, max: 4 }), fill: fc.option(fc.nat(255), { freq: 6, nil: undefined }) })
  .map(({ from, count, fill }): DiskWrite => {
    const length = Math.min(count, SECTORS - from) * SECTOR;
    return { offset: from * SECTOR, length, ...(fill === undefined ? {} : { bytes: Buffer.alloc(length, fill) }) };
  });

test("writes are applied in their order, and taken back without a trace", async () => {
  const path = join(folder, "disk");
  writeFileSync(path, blank);
  using disk = new RawDisk(path);
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 8 }), async (writes) => {
      const wanted = Buffer.from(blank);
      for (const { offset, length, bytes } of writes) wanted.set(bytes ?? Buffer.alloc(length), offset);
      await disk.with(writes, () => expect(readFileSync(path).equals(wanted)).toBe(true));
      expect(readFileSync(path).equals(blank)).toBe(true);
    }),
    { numRuns: 60 },
  );
});
