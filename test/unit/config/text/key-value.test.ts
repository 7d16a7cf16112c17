import fc from "fast-check";
import { expect, test } from "vitest";
import { parseKeyValue } from "../../../../src/config/text/key-value.ts";
import { ProblemError } from "../../../../src/base/problem.ts";
import { problemOf } from "../../../support/problem-of.ts";

const KNOWN = ["hostname", "ipv6_address", "name_servers"];

function parse(text: string | Uint8Array, known?: readonly string[]): Record<string, string> {
  return Object.fromEntries(parseKeyValue(Buffer.from(text), "a.conf", known).map(({ key, value }) => [key, value]));
}

test.each([
  ["", {}],
  ["\n\n", {}],
  ["# a comment\n  # another = one\nhostname=a\n", { hostname: "a" }],
  ["hostname=a", { hostname: "a" }],
  ["hostname=", { hostname: "" }],
  ["  hostname=  a b  ", { hostname: "a b" }],
  ['hostname="a b"', { hostname: "a b" }],
  ["hostname='a'", { hostname: "a" }],
  ["hostname='a\"", { hostname: "'a\"" }],
  ['hostname="', { hostname: '"' }],
  ["hostname=a=b", { hostname: "a=b" }],
  ["hostname=a # no comment here", { hostname: "a # no comment here" }],
  ["hostname=$(reboot) `id` ${HOME} ; rm -rf / & \\", { hostname: "$(reboot) `id` ${HOME} ; rm -rf / & \\" }],
  ["hostname=größe", { hostname: "größe" }],
  [
    "__proto__=a\nconstructor=b",
    Object.fromEntries([
      ["__proto__", "a"],
      ["constructor", "b"],
    ]),
  ],
])("%j is read as data", (text, expected) => {
  expect(parse(text)).toEqual(expected);
});

test("a value is found again by line and column", () => {
  expect(parseKeyValue(Buffer.from('\n  hostname=  "a"\nname_servers=\n'), "a.conf")).toEqual([
    { key: "hostname", value: "a", line: 2, column: 15 },
    { key: "name_servers", value: "", line: 3, column: 14 },
  ]);
});

test.each([
  ["hostname", 1, 1, "key=value"],
  ["\n   just words", 2, 4, "key=value"],
  ["hostname =a", 1, 1, "without a blank"],
  ["=a", 1, 1, "letters"],
  ["9x=a", 1, 1, "letters"],
  ["host-name=a", 1, 1, "letters"],
  ["export hostname=a", 1, 1, "letters"],
  ["hostnam=a", 1, 1, "perhaps hostname"],
  ["ipv6_adress=a", 1, 1, "perhaps ipv6_address"],
  ["something_else=a", 1, 1, "one of hostname, ipv6_address, name_servers"],
  ["hostname=a\nhostname=a", 2, 1, "each key once"],
  ["hostname=a\0b", 1, 11, "printable"],
  ["hostname=a\x1b[2J", 1, 11, "printable"],
  ["hostname=\ta", 1, 10, "printable"],
  ["hostname=a\r\n", 1, 11, "Unix line ends"],
  ["hostname=a\u202eb", 1, 11, "printable"],
  [Buffer.from([...Buffer.from("hostname=a\nhostname=ab"), 0xff]), 2, 12, "UTF-8"],
])("%j is refused with its place and what was expected", async (text, line, column, expected) => {
  const problem = await problemOf(() => parse(text, KNOWN));
  expect(problem.where).toEqual({ file: "a.conf", line, column });
  expect(problem.expected).toContain(expected);
});

test("all mistakes of a file are named, the first as its place", async () => {
  const problem = await problemOf(() => parse("hostname=a\nhostname=b\nnonsense\nhost=x\n", KNOWN));
  expect(problem).toMatchObject({ what: "there are 3 mistakes in the file", where: { file: "a.conf", line: 2, column: 1 } });
  expect(problem.found).toMatch(/^2:1 .*; 3:1 .*"nonsense".*; 4:1 .*"host"/);
});

test("of very many mistakes ten are listed and the rest is counted", async () => {
  const { found = "" } = await problemOf(() => parse("x\n".repeat(5000)));
  expect(found).toContain("and 4990 more");
  expect(found.length).toBeLessThan(2000);
});

test("what is shown of a value is short, and cannot act on a terminal", async () => {
  const { found = "" } = await problemOf(() => parse(`\u00e9${"x".repeat(5000)}`));
  expect(found).toMatch(/^"\\u00e9x+…"$/);
  expect(found.length).toBeLessThan(100);
});

test("a file of 64 KiB is read, and one byte more is too long", async () => {
  const line = "hostname=a\n";
  expect(parse(line + "#".repeat(64 * 1024 - line.length))).toEqual({ hostname: "a" });
  expect(await problemOf(() => parse(line + "#".repeat(64 * 1024 - line.length + 1)))).toMatchObject({ what: "the file is too long" });
});

test("whatever the bytes are, it is an answer or a problem, never another error", () => {
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.string({ unit: "binary", maxLength: 200 }).map((text) => Buffer.from(text)),
    fc
      .string({ unit: fc.constantFrom("a", "=", "\n", "#", " ", '"', "'", "\r", "\0", "é"), maxLength: 60 })
      .map((text) => Buffer.from(text)),
  );
  fc.assert(
    fc.property(hostile, (bytes) => {
      try {
        parseKeyValue(bytes, "a.conf", KNOWN);
      } catch (error) {
        expect(error).toBeInstanceOf(ProblemError);
      }
    }),
    { numRuns: 300 },
  );
});

test("what is written as key=value is read as that", () => {
  const key = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,20}$/);
  const value = fc.string({ unit: "grapheme-ascii", maxLength: 40 }).filter((text) => text.trim() === text && !/^(["']).*\1$/.test(text));
  fc.assert(
    fc.property(fc.dictionary(key, value, { noNullPrototype: true }), (wanted) => {
      const text = Object.entries(wanted).map(([name, content]) => `${name}=${content}\n`);
      expect(parse(text.join(""))).toEqual(wanted);
    }),
  );
});
