import { chmodSync, chownSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { foreignText } from "../../../../src/base/foreign-words.ts";
import { readHeaderFile } from "../../../../src/system/files/header-file.ts";
import { systemHost } from "../../../../src/system/host.ts";
import { namespaceRoot } from "../../../support/namespace.ts";
import { problemOf } from "../../../support/problem-of.ts";

const host = systemHost({ signal: new AbortController().signal });
let path: string;

beforeEach(() => {
  path = join(namespaceRoot(), "headers");
});

function write(content: string | Uint8Array, mode = 0o600): void {
  writeFileSync(path, content);
  chmodSync(path, mode);
}

test("each line is a header; empty lines and ends of lines of other systems are no matter", async () => {
  write("Authorization: Bearer canary-token==\r\n\nX-Token:\tcanary:two words \n");
  const headers = await readHeaderFile(host, path);
  expect(headers.map(({ name, value }) => [name, Buffer.from(value.expose()).toString()])).toEqual([
    ["Authorization", "Bearer canary-token=="],
    ["X-Token", "canary:two words"],
  ]);
});

// RFC 7617, 2: of Basic, a server knows user and password.
test("what is in it is known as a secret, in each form in which a server may repeat it", async () => {
  for (const value of [`Basic ${Buffer.from("user:canary").toString("base64")}`, "Bearer canary-token"]) {
    write(`authorization: ${value}\n`);
    await readHeaderFile(host, path);
  }
  const said = `no user:canary, no canary, no ${Buffer.from("user:canary").toString("base64")}, no canary-token`;
  expect(foreignText(said)).toBe("no [secret], no [secret], no [secret], no [secret]");
});

test("a file that others can read, or that is someone else's, is not used", async () => {
  for (const mode of [0o640, 0o604, 0o666]) {
    write("Authorization: Bearer canary", mode);
    const { what, todo } = await problemOf(() => readHeaderFile(host, path));
    expect([what, todo]).toEqual(["this file of headers is not used", `chmod 0600 ${path}`]);
  }
  write("Authorization: Bearer canary");
  chownSync(path, 1234, 1234);
  expect((await problemOf(() => readHeaderFile(host, path))).found).toBe("it belongs to user 1234");
  const link = join(namespaceRoot(), "link");
  symlinkSync(path, link);
  expect((await problemOf(() => readHeaderFile(host, link))).found).toBe("a link");
  expect((await problemOf(() => readHeaderFile(host, `${path}-not-there`))).found).toBe("nothing");
});

test.each([
  ["\n\n", undefined],
  ["canary", 1],
  ["Authorization: Bearer x\ncanary canary: x", 2],
  ["\ufeffAuthorization: canary", 1],
  ["Authorization: canäry", 1],
  ["Authorization: canary\0", 1],
  ["Authorization:   ", 1],
  [" Authorization: canary", 1],
  ["Host: canary", 1],
  ["range: bytes=0-canary", 1],
  ["Content-Length: 5", 1],
  ["Transfer-Encoding: canary", 1],
])("%j is refused with its line, and nothing of it is shown", async (content, line) => {
  write(content);
  const problem = await problemOf(() => readHeaderFile(host, path));
  expect(problem.where?.line).toBe(line);
  expect(JSON.stringify(problem)).not.toMatch(/can.ry/);
});

test("a file that is no list of headers is not read at all", async () => {
  write(Buffer.alloc(17 * 1024, "a"));
  expect((await problemOf(() => readHeaderFile(host, path))).expected).toBe("at most 16384");
});
