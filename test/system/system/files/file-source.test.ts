import { mkdirSync, readFileSync, readlinkSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fileSource } from "../../../../src/system/files/byte-source.ts";
import { namespaceRoot } from "../../../support/namespace.ts";
import { problemOf } from "../../../support/problem-of.ts";

const { signal } = new AbortController();

function openFiles(): readonly string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      // The descriptor of this very listing.
      return [];
    }
  });
}

test("a file is open only while it is read: one that is forgotten would end the program", async () => {
  const file = join(namespaceRoot(), "image");
  writeFileSync(file, "content of an image");
  const source = await fileSource(file, signal);
  expect(source.size()).toBe(19);
  expect(openFiles()).not.toContain(file);
  const pieces: Uint8Array[] = [];
  for await (const piece of source.chunks) pieces.push(Uint8Array.from(piece));
  expect(Buffer.concat(pieces)).toEqual(readFileSync(file));
  expect(openFiles()).not.toContain(file);
  for await (const piece of (await fileSource(file, signal)).chunks) {
    expect(piece.length).toBe(19);
    expect(openFiles()).toContain(file);
    break;
  }
  expect(openFiles()).not.toContain(file);
});

test("what is not there, or is a folder, is said before anything is read", async () => {
  const root = namespaceRoot();
  mkdirSync(join(root, "folder"));
  expect(await problemOf(async () => fileSource(join(root, "none"), signal))).toMatchObject({ what: `cannot read ${join(root, "none")}` });
  expect(await problemOf(async () => fileSource(join(root, "folder"), signal))).toMatchObject({ found: "a folder" });
});
