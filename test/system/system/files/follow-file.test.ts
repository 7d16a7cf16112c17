import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { beats } from "../../../../src/system/files/follow-file.ts";

const folder = mkdtempSync(join(tmpdir(), "guestos-boot-follow-"));
const LONG = 600_000;

afterEach(() => rmSync(join(folder, "file"), { force: true }));

test("a file that is made, and one that grows, is news at once", async () => {
  const stop = new AbortController();
  const following = beats(join(folder, "file"), LONG, stop.signal);
  expect(await following.next()).toEqual({ done: false, value: undefined });
  for (const content of ["a", "ab"]) {
    const news = following.next();
    writeFileSync(join(folder, "file"), content);
    expect((await news).done).toBe(false);
  }
  stop.abort();
});

test("what happened while no one was waiting is not missed", async () => {
  const stop = new AbortController();
  const following = beats(join(folder, "file"), LONG, stop.signal);
  await following.next();
  writeFileSync(join(folder, "file"), "a");
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect((await following.next()).done).toBe(false);
  stop.abort();
});

test("without news it beats all the same, and ends with the signal", async () => {
  const stop = new AbortController();
  const following = beats(join(folder, "file"), 10, stop.signal);
  await following.next();
  expect((await following.next()).done).toBe(false);
  const last = following.next();
  stop.abort();
  await last;
  expect((await following.next()).done).toBe(true);
});
