import { expect, test } from "vitest";
import { tableIn } from "../../../../src/system/disks/sfdisk.ts";

const MIB = 1024 * 1024;
const table = (sectorsize: number, partitions: readonly object[]): string =>
  JSON.stringify({ partitiontable: { label: "gpt", sectorsize, partitions } });

test("the end is behind the last partition by place, not by number, on a MiB boundary", () => {
  const partitions = [
    { start: 4096, size: 100, name: "config" },
    { start: 2048, size: 2048, name: "esp" },
  ];
  expect(tableIn(table(512, partitions))).toEqual({ end: 3 * MIB, partitions: expect.any(Array), sectorBytes: 512 });
});

test("sectors of 4096 bytes are counted as such", () => {
  expect(tableIn(table(4096, [{ start: 256, size: 256 }]))).toMatchObject({ end: 2 * MIB, sectorBytes: 4096 });
});

test("an empty table leaves the first MiB to the table itself", () => {
  expect(tableIn(table(512, []))).toEqual({ end: MIB, partitions: [], sectorBytes: 512 });
});
