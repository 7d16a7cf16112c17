import { expect, test } from "vitest";
import { endIn } from "../../../src/system/sfdisk.ts";

const MIB = 1024 * 1024;
const table = (sectorsize: number, partitions: readonly object[]): string => JSON.stringify({ partitiontable: { label: "gpt", sectorsize, partitions } });

test("the end is behind the last partition by place, not by number, on a MiB boundary", () => {
  expect(endIn(table(512, [{ start: 4096, size: 100 }, { start: 2048, size: 2048 }]))).toBe(3 * MIB);
});

test("sectors of 4096 bytes are counted as such", () => {
  expect(endIn(table(4096, [{ start: 256, size: 256 }]))).toBe(2 * MIB);
});

test("an empty table leaves the first MiB to the table itself", () => {
  expect(endIn(table(512, []))).toBe(MIB);
});
