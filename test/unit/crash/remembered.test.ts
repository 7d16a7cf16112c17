import { expect, test } from "vitest";
import type { RawDisk } from "../../crash/raw-disk.ts";
import { remembered } from "../../crash/remembered.ts";

test("a part is read again where a byte of it may be another, after a failure, and else not", () => {
  let count = 0;
  const disk = {} as RawDisk;
  const read = remembered({ offset: 100, length: 10 }, () => {
    count += 1;
    if (count === 3) throw new Error("not this time");
    return count;
  });
  expect(read(disk, [{ offset: 0, length: 1000 }], "")).toBe(1);
  const besides = [
    { offset: 99, length: 1 },
    { offset: 110, length: 1 },
  ];
  expect(read(disk, besides, "")).toBe(1);
  expect(read(disk, [{ offset: 109, length: 1 }], "")).toBe(2);
  expect(() => read(disk, [{ offset: 99, length: 2 }], "")).toThrow("not this time");
  expect(read(disk, [], "")).toBe(4);
});
