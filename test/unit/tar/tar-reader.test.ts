import { expect, test } from "vitest";
import { BadTar } from "../../../src/tar/bad-tar.ts";
import { tarMembers, type TarRules } from "../../../src/tar/tar-reader.ts";
import { paxRecord, pieces, type RawEntry, rawTar } from "../../support/raw-tar.ts";

const OPEN: TarRules = { extensions: true, zeroPadding: false, headerBytes: 4096, endBytes: 10_240 };
const STRICT: TarRules = { ...OPEN, extensions: false, zeroPadding: true };

/** Each member as its name, its type and its text. */
async function read(tar: Uint8Array, rules: TarRules = OPEN): Promise<readonly (readonly [string, string, string])[]> {
  const found: (readonly [string, string, string])[] = [];
  for await (const { name, type, content } of tarMembers(pieces(tar, 700), rules)) {
    const parts: Buffer[] = [];
    for await (const piece of (await content()).pieces) {
      parts.push(piece.kind === "bytes" ? Buffer.from(piece.bytes) : Buffer.alloc(piece.count));
    }
    found.push([name, type, Buffer.concat(parts).toString()]);
  }
  return found;
}

/** A header with other bytes at that place, and the checksum right. */
function changed(entry: RawEntry, at: number, text: string): Buffer {
  const bytes = rawTar([entry]);
  bytes.write(text, at, "latin1");
  bytes.write("        ", 148);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return bytes;
}

const file: RawEntry = { name: "short", content: "x" };

test.each<readonly [string, Buffer, string]>([
  // POSIX, pax(1), "ustar Interchange Format": prefix, a slash, name.
  ["ustar, with a prefix", changed(file, 345, "folder/deep"), "folder/deep/short"],
  // GNU tar keeps times and sparse maps in the place of the prefix (gnu tar manual, "Basic Tar Format").
  ["GNU, which has no prefix", changed(file, 257, "ustar  \0"), "short"],
  ["pax: path", rawTar([{ name: "x", type: "x", content: paxRecord("path", "long/name") }, file]), "long/name"],
  ["a long name of GNU tar", rawTar([{ name: "././@LongLink", type: "L", content: "long/name\0" }, file]), "long/name"],
  ["a long target, which is a link's", rawTar([{ name: "././@LongLink", type: "K", content: "target\0" }, file]), "short"],
  [
    "pax over a long name",
    rawTar([{ name: "l", type: "L", content: "l\0" }, { name: "x", type: "x", content: paxRecord("path", "p") }, file]),
    "p",
  ],
  [
    "the comment of git archive",
    rawTar([{ name: "pax_global_header", type: "g", content: paxRecord("comment", "0".repeat(40)) }, file]),
    "short",
  ],
])("a name is found by the rules of its format: %s", async (_, tar, name) => {
  expect(await read(tar)).toEqual([[name, "0", "x"]]);
});

test("a pax header is for one member, a global one for all that follow", async () => {
  const one = rawTar([{ name: "x", type: "x", content: paxRecord("path", "p") }, file, { name: "other", content: "y" }]);
  expect((await read(one)).map(([name]) => name)).toEqual(["p", "other"]);
  const all = rawTar([{ name: "g", type: "g", content: paxRecord("path", "p") }, file, { name: "other", content: "y" }]);
  expect((await read(all)).map(([name]) => name)).toEqual(["p", "p"]);
});

test("content that no one reads, or not to its end, is skipped", async () => {
  const tar = rawTar([{ name: "a", content: Buffer.alloc(5000, 1) }, { name: "b", content: Buffer.alloc(5000, 2) }, file]);
  const names: string[] = [];
  for await (const { name, content } of tarMembers(pieces(tar, 700), OPEN)) {
    names.push(name);
    if (name !== "b") continue;
    for await (const _ of (await content()).pieces) break;
  }
  expect(names).toEqual(["a", "b", "short"]);
});

test.each(["g", "L", "K"])("what an image does not need is left to the caller: type %s", async (type) => {
  const tar = rawTar([{ name: "x", type, content: "long\0" }, file]);
  expect(await read(tar, STRICT)).toEqual([
    ["x", type, "long\0"],
    ["short", "0", "x"],
  ]);
});

test.each<readonly [string, Buffer, TarRules, RegExp]>([
  [
    "one block of zeros, and more members",
    Buffer.concat([rawTar([file], { end: false }), Buffer.alloc(512), rawTar([file])]),
    OPEN,
    /single block/,
  ],
  // GNU tar shows the first one alone (tar manual, "--ignore-zeros").
  ["a second tar behind the first", Buffer.concat([rawTar([file]), rawTar([file])]), OPEN, /after the end/],
  ["no end mark", rawTar([file], { end: false }), OPEN, /cut off/],
  ["one block of zeros for an end mark", rawTar([file]).subarray(0, -512), OPEN, /cut off/],
  ["more padding than is allowed", Buffer.concat([rawTar([file]), Buffer.alloc(20_480)]), OPEN, /more than 10240 bytes/],
  ["bytes in the padding", Buffer.from(rawTar([file])).fill("y", 600, 601), STRICT, /padding of a member/],
  ["a long name that is too long", rawTar([{ name: "x", type: "L", content: "n".repeat(5000) }, file]), OPEN, /a long name of 5000 bytes/],
])("%s: refused", async (_, tar, rules, says) => {
  await expect(read(tar, rules)).rejects.toSatisfy((error) => error instanceof BadTar && says.test(error.message));
});

test("of two pax headers in a row, the second is a member, which no caller takes", async () => {
  const tar = rawTar([
    { name: "x", type: "x", content: paxRecord("path", "a") },
    { name: "x", type: "x" },
  ]);
  expect((await read(tar)).map(([, type]) => type)).toEqual(["x"]);
});

test("bytes in the padding may be anything where the rules say so", async () => {
  expect(await read(Buffer.from(rawTar([file])).fill("y", 600, 601))).toEqual([["short", "0", "x"]]);
});

test("the source is closed, however the reading ends", async () => {
  let open = 0;
  async function* source(bytes: Uint8Array): AsyncIterable<Uint8Array> {
    open += 1;
    try {
      yield* pieces(bytes, 100);
    } finally {
      open -= 1;
    }
  }
  for await (const _ of tarMembers(source(rawTar([file])), OPEN)) break;
  expect(open).toBe(0);
  await expect(Array.fromAsync(tarMembers(source(Buffer.from("hello")), OPEN))).rejects.toThrow("cut off");
  await expect(Array.fromAsync(tarMembers(source(Buffer.alloc(4096, 1)), OPEN))).rejects.toThrow("no valid tar header");
  expect(open).toBe(0);
});
