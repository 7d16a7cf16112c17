import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { piecesOf, seededRandom, subsetsOf, windowsOf, writesAfterCut, writesOf } from "../../crash/crash-states.ts";
import { openWriteLog, type WriteLog } from "../../crash/log-writes.ts";
import { RawDisk } from "../../crash/raw-disk.ts";
import { type Logged, writeLog } from "../../support/written-log.ts";

const folder = mkdtempSync(join(tmpdir(), "crash-states-"));
afterAll(() => rmSync(folder, { recursive: true }));

function logOf(requests: readonly Logged[]): WriteLog {
  const file = join(folder, "log");
  writeFileSync(file, writeLog(requests));
  return openWriteLog(file);
}

const names = (entries: readonly { readonly index: number }[]): string => entries.map(({ index }) => index).join(",");

test("a flush makes everything before it durable, and its own data are still pending", () => {
  using log = logOf([
    { sector: 1, data: "a" },
    { sector: 2, data: "b" },
    { flush: true },
    { sector: 3, data: "c", flush: true },
    { sector: 4, data: "d" },
  ]);
  const windows = windowsOf(log.entries).map(({ durable, end, pending, forced }) => [durable, end, names(pending), names(forced)]);
  expect(windows).toEqual([
    [0, 2, "0,1", ""],
    [2, 3, "", ""],
    [3, 5, "3,4", ""],
  ]);
});

test("a write with FUA is there, and what was pending before it may still be missing", () => {
  using log = logOf([{ sector: 1, data: "a" }, { sector: 1, data: "b", fua: true }, { sector: 2, data: "c" }, { flush: true }]);
  const windows = windowsOf(log.entries).map(({ durable, end, pending, forced }) => [durable, end, names(pending), names(forced)]);
  expect(windows).toEqual([
    [0, 1, "0", ""],
    [0, 3, "0,2", "1"],
    [3, 4, "", ""],
  ]);
});

test("a mark divides what may be there before it from what may be there after it", () => {
  using log = logOf([{ sector: 1, data: "a" }, { mark: "done" }, { sector: 2, data: "b" }]);
  expect(windowsOf(log.entries).map(({ end, pending }) => [end, names(pending)])).toEqual([
    [1, "0"],
    [3, "0,2"],
  ]);
});

test("every disk that a cut can leave is found, and no other", async () => {
  // Sector 1 twice before the flush: old, first or second; sector 2 is durable; then sector 3, and 1 discarded.
  using log = logOf([
    { sector: 2, data: "x" },
    { flush: true },
    { sector: 1, data: "p" },
    { sector: 1, data: "q" },
    { flush: true },
    { sector: 3, data: "r" },
    { sector: 0, sectors: 2, discard: true },
  ]);
  const path = join(folder, "disk");
  const blank = Buffer.alloc(4 * 512);
  for (const sector of [0, 1, 2, 3]) blank.write("-", sector * 512, "latin1");
  writeFileSync(path, blank);
  using disk = new RawDisk(path);
  const found = new Set<string>();
  let durable = 0;
  for (const window of windowsOf(log.entries)) {
    disk.apply(writesOf(log, durable, window.durable));
    ({ durable } = window);
    for (const kept of subsetsOf(piecesOf(window, 512), 100, seededRandom(1))) {
      await disk.with(writesAfterCut(log, window, kept), () => {
        found.add(
          [0, 1, 2, 3]
            .map((sector) =>
              Buffer.from(disk.read(sector * 512, 1))
                .toString("latin1")
                .replace("\0", "0"),
            )
            .join(""),
        );
      });
    }
  }
  expect([...found].toSorted()).toEqual(["----", "--x-", "-px-", "-qx-", "-qxr", "00x-", "00xr"].toSorted());
});

test("the disk is as it was after an inspection, also where two writes overlap", async () => {
  const path = join(folder, "undo");
  writeFileSync(path, Buffer.from("0123456789"));
  using disk = new RawDisk(path);
  const write = (offset: number, text: string) => ({ offset, length: text.length, bytes: Buffer.from(text) });
  const during = await disk.with([write(1, "abc"), write(2, "xyz")], () => Buffer.from(disk.read(0, 10)).toString());
  expect(during).toBe("0axyz56789");
  expect(Buffer.from(disk.read(0, 10)).toString()).toBe("0123456789");
  expect(() => disk.apply([write(9, "ab")])).toThrow(RangeError);
});

test("a write is cut up into its sectors, and a discard is not", () => {
  using log = logOf([
    { sector: 1, sectors: 3 },
    { sector: 9, sectors: 5, discard: true },
  ]);
  const [window] = windowsOf(log.entries);
  if (window === undefined) throw new Error("no window");
  const pieces = (unit: number) => piecesOf(window, unit).map(({ entry, from, length }) => [entry.index, from, length]);
  expect(pieces(512)).toEqual([
    [0, 0, 512],
    [0, 512, 512],
    [0, 1024, 512],
    [1, 0, 2560],
  ]);
  expect(pieces(1024)).toEqual([
    [0, 0, 1024],
    [0, 1024, 512],
    [1, 0, 2560],
  ]);
});

test("few pieces give all their subsets; many give the telling ones first, and always the same for a seed", () => {
  const all = [...subsetsOf(["a", "b", "c"], 8, seededRandom(1))].map((subset) => subset.join(""));
  expect(all.toSorted()).toEqual(["", "a", "ab", "abc", "ac", "b", "bc", "c"]);
  const many = Array.from({ length: 40 }, (_, n) => n);
  const some = (seed: number): readonly string[] => [...subsetsOf(many, 300, seededRandom(seed))].map((subset) => subset.join(","));
  expect(some(7)).toEqual(some(7));
  expect(some(7)).not.toEqual(some(8));
  expect(some(7).length).toBe(300);
  expect(new Set(some(7)).size).toBeGreaterThan(270);
  expect(some(7)).toEqual(expect.arrayContaining(["", many.join(","), "0", many.slice(1).join(","), many.slice(0, 20).join(",")]));
  expect([...subsetsOf(many, 3, seededRandom(1))].length).toBe(3);
});
