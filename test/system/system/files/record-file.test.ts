import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemHost } from "../../../../src/system/host.ts";
import { keepRecord, KEPT_BOOTS, keptRecords, openLineFile } from "../../../../src/system/files/record-file.ts";
import { namespaceRoot } from "../../../support/namespace.ts";

const host = systemHost({ signal: new AbortController().signal });
/** base-passwd, group.master. */
const ADM = 4;
const id = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
const time = (day: number): string => new Date(Date.UTC(2026, 0, day, 10, 15, 30)).toISOString();

test("lines are appended to what is there, for root to write and for adm to read", () => {
  const path = join(namespaceRoot(), "lines");
  for (const line of ["one", "two"]) {
    const file = openLineFile(path);
    file.append(line);
    file.close();
  }
  expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
  expect(statSync(path)).toMatchObject({ mode: 0o100640, uid: 0, gid: ADM });
});

test("what an older version kept for root alone is given to the readers with the next boot", async () => {
  const root = namespaceRoot();
  const folder = join(root, "boots");
  const old = join(folder, `20260101T101530Z-${id(1)}.jsonl`);
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(old, "old\n", { mode: 0o600 });
  writeFileSync(join(root, "record"), "new\n");
  await keepRecord(host, join(root, "record"), folder, { bootId: id(2), time: time(2) });
  expect(statSync(folder)).toMatchObject({ mode: 0o40750, gid: ADM });
  expect((await keptRecords(host, folder)).map(({ path }) => statSync(path))).toMatchObject([
    { mode: 0o100640, gid: ADM },
    { mode: 0o100640, gid: ADM },
  ]);
  expect(readFileSync(old, "utf8")).toBe("old\n");
});

test.each([
  ["nothing but a torn line", "torn", ""],
  ["whole lines and a torn one", "one\ntwo\nto", "one\ntwo\n"],
  ["a torn line longer than what is read at once", `one\n${"x".repeat(200_000)}`, "one\n"],
  ["whole lines", "one\ntwo\n", "one\ntwo\n"],
  ["a line that ends where a block does", `${"x".repeat(65_535)}\n`, `${"x".repeat(65_535)}\n`],
])("opening a file with %s leaves whole lines", (_, before, after) => {
  const path = join(namespaceRoot(), "lines");
  writeFileSync(path, before);
  const file = openLineFile(path);
  file.append("new");
  file.close();
  expect(readFileSync(path, "utf8")).toBe(`${after}new\n`);
});

test("the newest boots are kept, one file each, and what a power cut left is cleared away", async () => {
  const root = namespaceRoot();
  const folder = join(root, "lib/boots");
  const record = join(root, "record");
  for (let boot = 1; boot <= KEPT_BOOTS + 3; boot++) {
    writeFileSync(record, `boot ${boot}\n`);
    await keepRecord(host, record, folder, { bootId: id(boot), time: time(boot) });
  }
  writeFileSync(join(folder, ".20260101T101530Z-00000000-0000-4000-8000-000000000001.jsonl.0a1b2c"), "half");
  writeFileSync(join(folder, "notes.txt"), "an operator's own");
  writeFileSync(record, "the last one again\n");
  await keepRecord(host, record, folder, { bootId: id(KEPT_BOOTS + 3), time: time(1) });
  const kept = await keptRecords(host, folder);
  expect(kept.map(({ bootId }) => bootId)).toEqual(Array.from({ length: KEPT_BOOTS }, (_, index) => id(KEPT_BOOTS + 3 - index)));
  expect(readFileSync(kept[0]?.path ?? "", "utf8")).toBe("the last one again\n");
  expect(readdirSync(folder)).toHaveLength(KEPT_BOOTS + 1);
});

test("a boot whose clock was in the past is kept all the same", async () => {
  const root = namespaceRoot();
  const folder = join(root, "boots");
  mkdirSync(folder);
  for (let boot = 1; boot <= KEPT_BOOTS; boot++)
    writeFileSync(join(folder, `202601${String(boot).padStart(2, "0")}T101530Z-${id(boot)}.jsonl`), "");
  writeFileSync(join(root, "record"), "early riser\n");
  await keepRecord(host, join(root, "record"), folder, { bootId: id(99), time: "1970-01-01T00:00:12.000Z" });
  const kept = await keptRecords(host, folder);
  expect(kept).toHaveLength(KEPT_BOOTS);
  expect(kept.at(-1)?.bootId).toBe(id(99));
});

test("there is nothing to keep without a record", async () => {
  const root = namespaceRoot();
  await keepRecord(host, join(root, "record"), join(root, "boots"), { bootId: id(1), time: time(1) });
  expect(await keptRecords(host, join(root, "boots"))).toEqual([]);
});
