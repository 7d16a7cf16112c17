import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { LogError, openWriteLog } from "../../crash/log-writes.ts";
import { type Logged, writeLog } from "../../support/written-log.ts";

const folder = mkdtempSync(join(tmpdir(), "log-writes-"));
afterAll(() => rmSync(folder, { recursive: true }));

function opened(...args: Parameters<typeof writeLog>): ReturnType<typeof openWriteLog> {
  const file = join(folder, "log");
  writeFileSync(file, writeLog(...args));
  return openWriteLog(file);
}

const requests: readonly Logged[] = [
  { sector: 8, data: "one" },
  { flush: true },
  { sector: 16, data: "two", fua: true },
  { sector: 24, data: "three", flush: true, fua: true },
  { sector: 32, sectors: 1000, discard: true },
  { mark: "mkfs" },
  { sector: 8, data: "four", metadata: true },
  { sector: 2 ** 35, data: "beyond 4 TiB" },
];

test.each([512, 4096])("a log with sectors of %i bytes is read as the kernel writes it", (sectorSize) => {
  using log = opened(requests, { sectorSize });
  expect(log.sectorSize).toBe(sectorSize);
  expect(log.entries).toMatchObject([
    { offset: 8 * sectorSize, length: sectorSize, flush: false, fua: false, discard: false },
    { offset: 0, length: 0, flush: true, fua: false, discard: false },
    { offset: 16 * sectorSize, length: sectorSize, flush: false, fua: true, discard: false },
    { offset: 24 * sectorSize, length: sectorSize, flush: true, fua: true, discard: false },
    { offset: 32 * sectorSize, length: 1000 * sectorSize, flush: false, fua: false, discard: true },
    { offset: 0, length: 0, flush: false, fua: false, discard: false, mark: "mkfs" },
    { offset: 8 * sectorSize, length: sectorSize, flush: false, fua: false, discard: false },
    { offset: 2 ** 35 * sectorSize, length: sectorSize, flush: false, fua: false, discard: false },
  ]);
  expect(log.entries.filter(({ mark }) => mark !== undefined).length).toBe(1);
  const texts = log.entries.map((entry) => Buffer.from(log.data(entry)).toString("latin1").replaceAll("\0", "").slice(0, 20));
  expect(texts).toEqual(["one", "", "two", "three", "", "", "four", "beyond 4 TiB"]);
});

test("what was logged after the superblock was written last is read too, up to the last whole entry", () => {
  const bytes = writeLog(requests, { sectorSize: 512, counted: 2 });
  const file = join(folder, "growing");
  for (const [length, entries] of [
    [bytes.length, 8],
    [bytes.length - 1, 7],
    [bytes.length - 512, 7],
    [bytes.length - 1025, 6],
  ] as const) {
    writeFileSync(file, bytes.subarray(0, length));
    using log = openWriteLog(file);
    expect(log.entries.length, `${length} bytes`).toBe(entries);
  }
  writeFileSync(file, Buffer.concat([bytes, Buffer.alloc(1024 * 1024)]));
  using preallocated = openWriteLog(file);
  expect(preallocated.entries.length, "zeros are the end").toBe(8);
});

test.each([
  ["an empty file", Buffer.alloc(0), /no dm-log-writes log/],
  ["zeros", Buffer.alloc(4096), /no dm-log-writes log/],
  ["another version", writeLog([], { version: 2n }), /version 2/],
  ["sectors that are no power of two", writeLog([], { sectorSize: 1000 }), /1000 bytes/],
  ["sectors that are too small", writeLog([], { sectorSize: 256 }), /256 bytes/],
  ["an unknown flag", writeLog([{ flags: 64n }]), /flags 0x40/],
  ["fewer entries than it says", writeLog(requests, { counted: 9 }), /ends at|8 of its 9/],
  ["an end within what is counted", writeLog(requests).subarray(0, -512), /ends within entry 7/],
  ["a mark that is longer than its sector", writeLog([{ mark: "x", dataLength: 481n }]), /too long/],
  ["a write beyond any disk", writeLog([{ sector: 2 ** 52, data: "x" }]), /beyond any disk/],
])("refused: %s", (_, bytes, words) => {
  const file = join(folder, "bad");
  writeFileSync(file, bytes);
  expect(() => openWriteLog(file)).toThrow(LogError);
  expect(() => openWriteLog(file)).toThrow(words);
});
