import { expect, test } from "vitest";
import { parseNftError } from "../../../../src/system/network/nft-errors.ts";
import type { ProblemError } from "../../../../src/base/problem.ts";

const CONTENT = `table inet filter {
  chain input {
    tcp dport sssh accept
  }
}`;
/** What is put before a ruleset on its first line has as many characters as "flush ruleset; ". */
const BEFORE = 15;

const parsed = (stderr: string, content = CONTENT): ProblemError | undefined =>
  parseNftError(stderr, { file: "/x.conf", content, foreign: false }, { name: "/dev/stdin", before: BEFORE });
const parsedForeign = (stderr: string, content = CONTENT): ProblemError | undefined =>
  parseNftError(stderr, { file: "/x.conf", content, foreign: true }, { name: "/ruleset.nft", before: BEFORE });

test("a mistake is told by file, line, column and the words that it is in", () => {
  const stderr = `/dev/stdin:3:15-18: Error: Could not resolve service: Servname not supported for ai_socktype
    tcp dport sssh accept
              ^^^^
`;
  expect(parsed(stderr)).toMatchObject({ retryable: false });
  expect(parsed(stderr)?.problem).toEqual({
    what: "the ruleset is not valid",
    where: { file: "/x.conf", line: 3, column: 15 },
    found: '"sssh": Could not resolve service: Servname not supported for ai_socktype',
    todo: "correct it, then: nft -c -f /x.conf",
  });
});

test("on the first line, the column is the file's and not that of what we put before it", () => {
  const stderr = "/dev/stdin:1:16-20: Error: syntax error, unexpected string, expecting newline or semicolon\n";
  expect(parsed(stderr, "tabel inet x { }")?.problem).toMatchObject({
    where: { file: "/x.conf", line: 1, column: 1 },
    found: '"tabel": syntax error, unexpected string',
    expected: "newline or semicolon",
  });
});

test("further mistakes are counted", () => {
  const stderr = "/dev/stdin:2:1-1: Error: one\nx\n^\n/dev/stdin:3:1-1: Error: two\n";
  expect(parsed(stderr)?.problem.what).toBe("the ruleset is not valid (the first of 2 mistakes)");
});

test("a mistake in an included file is told by that file, and without its text", () => {
  const stderr = "In file included from /dev/stdin:1:16-40:\n/etc/shells:2:1-1: Error: syntax error, unexpected /\n/bin/sh\n^\n";
  expect(parsed(stderr, 'include "/etc/shells"')?.problem).toMatchObject({
    where: { file: "/etc/shells", line: 2, column: 1 },
    found: "syntax error, unexpected /",
  });
});

test("of an injected ruleset that includes a file, the include is the mistake", () => {
  const content = 'table inet x {}\ninclude "/ruleset.nft"\n';
  const there = { where: { file: "/x.conf", line: 2, column: 1 }, expected: expect.stringContaining("in this file") };
  expect(parsedForeign("In file included from /ruleset.nft:2:1-22:\n", content)?.problem).toMatchObject(there);
  expect(parsedForeign("/ruleset.nft:2:1-22: Error: File not found: /a\n", content)?.problem).toMatchObject(there);
});

test("other words of nft are not taken for a mistake in the file", () => {
  expect(parsed("netlink: Error: cache initialization failed: Operation not permitted\n")).toBeUndefined();
  expect(parsedForeign("netlink: Error: cache initialization failed: Operation not permitted\n")).toBeUndefined();
});

/** The words of nft 1.0.6 and 1.1.3, those on hosts by gai_strerror(3). The kernel's ENOENT of a missing device is that of Linux before 6.16. */
test.each([
  [
    "a name that no server answers for",
    "ip saddr a.example accept",
    "a.example",
    "Could not resolve hostname: Temporary failure in name resolution",
  ],
  ["a name that does not exist", "ip saddr a.example accept", "a.example", "Could not resolve hostname: Name or service not known"],
  [
    "a name without an address of that kind",
    "ip saddr a.example accept",
    "a.example",
    "Could not resolve hostname: No address associated with hostname",
  ],
  ["an interface", 'iif "x0" accept', '"x0"', "Interface does not exist"],
  ["the device of a flowtable", "flowtable ft { devices = { x0 }; }", "ft", "Could not process rule: No such file or directory"],
  [
    "the device of a hook",
    "add chain netdev f c { type filter hook ingress device x0 priority 0; }",
    "c",
    "Could not process rule: No such file or directory",
  ],
  [
    "the device of a hook, as nft 1.1.3 tells it",
    'table netdev later { chain c { type filter hook ingress device "later0" priority 0; }; }',
    "later",
    "No such file or directory; did you mean table 'filter' in family inet?",
  ],
])("%s that is not there may come up, so it is tried again", (_, text, place, words) => {
  const column = text.search(new RegExp(`(?<=\\s)${place}(?=\\s)`)) + 1;
  expect(column).toBeGreaterThan(1);
  const error = parsed(`/dev/stdin:2:${column}-${column + place.length - 1}: Error: ${words}\n`, `table inet f {\n${text}\n}`);
  expect(error).toMatchObject({ retryable: true, problem: { where: { line: 2, column }, found: `"${place}": ${words}` } });
  expect(error?.problem.what).toMatch(/does not (?:resolve|exist|know); the rules in force stay/);
});

test.each([
  [
    "an address of the other family",
    "ip saddr 2001:db8::1 accept",
    "2001:db8::1",
    "Could not resolve hostname: Address family for hostname not supported",
  ],
  ["a chain that no one makes", "jump nowhere", "nowhere", "Could not process rule: No such file or directory"],
  ["a set that no one makes", "ip saddr @nope accept", "@nope", "No such file or directory"],
  [
    "a table that no one makes",
    "add rule inet nope input accept",
    "nope",
    "No such file or directory; did you mean table 'filter' in family inet?",
  ],
  ["a user", "meta skuid nobodyx accept", "nobodyx", "User does not exist"],
])("%s is a mistake", (_, text, place, words) => {
  const column = text.indexOf(place) + 1;
  const error = parsed(`/dev/stdin:2:${column}-${column + place.length - 1}: Error: ${words}\n`, `chain f {\n${text}\n}`);
  expect(error).toMatchObject({ retryable: false, problem: { what: "the ruleset is not valid" } });
});
