import { expect, test } from "vitest";
import { digestOf, parseNftError } from "../../../../src/system/network/nft.ts";

const CONTENT = `table inet filter {
  chain input {
    tcp dport sssh accept
  }
}`;

test("a mistake is told by file, line, column and the words that it is in", () => {
  const stderr = `/dev/stdin:3:15-18: Error: Could not resolve service: Servname not supported for ai_socktype
    tcp dport sssh accept
              ^^^^
`;
  expect(parseNftError(stderr, "/etc/nftables.conf", CONTENT)?.problem).toEqual({
    code: "ruleset-not-valid",
    what: "the ruleset is not valid",
    where: { file: "/etc/nftables.conf", line: 3, column: 15 },
    found: '"sssh": Could not resolve service: Servname not supported for ai_socktype',
    todo: "correct it, then: nft -c -f /etc/nftables.conf",
  });
});

test("on the first line, the column is the file's and not that of what we put before it", () => {
  const stderr = "/dev/stdin:1:16-20: Error: syntax error, unexpected string, expecting newline or semicolon\n";
  expect(parseNftError(stderr, "/x.conf", "tabel inet x { }")?.problem).toMatchObject({
    where: { file: "/x.conf", line: 1, column: 1 },
    found: '"tabel": syntax error, unexpected string',
    expected: "newline or semicolon",
  });
});

test("further mistakes are counted", () => {
  const stderr = "/dev/stdin:2:1-1: Error: one\nx\n^\n/dev/stdin:3:1-1: Error: two\n";
  expect(parseNftError(stderr, "/x.conf", CONTENT)?.problem.what).toBe("the ruleset is not valid (the first of 2 mistakes)");
});

test("a mistake in an included file is told by that file, and without its text", () => {
  const stderr = "In file included from /dev/stdin:1:16-40:\n/etc/shells:2:1-1: Error: syntax error, unexpected /\n/bin/sh\n^\n";
  expect(parseNftError(stderr, "/x.conf", 'include "/etc/shells"')?.problem).toMatchObject({
    where: { file: "/etc/shells", line: 2, column: 1 },
    found: "syntax error, unexpected /",
  });
});

test("other words of nft are not taken for a mistake in the file", () => {
  expect(parseNftError("netlink: Error: cache initialization failed: Operation not permitted\n", "/x.conf", CONTENT)).toBeUndefined();
});

interface Changes {
  readonly handle?: number;
  readonly packets?: number;
  readonly port?: number;
  /** Elements of a set that a rule adds to, of one whose elements expire, and of one that only the file fills. */
  readonly learned?: readonly string[];
  readonly expiring?: readonly string[];
  readonly fixed?: readonly string[];
}

function ruleset({ handle = 1, packets = 0, port = 22, learned, expiring, fixed }: Changes): string {
  const place = { family: "inet", table: "filter" };
  const elements = (elem: readonly string[] | undefined): object => (elem === undefined ? {} : { elem });
  const expr = [
    { set: { op: "add", elem: { payload: { protocol: "ip6", field: "saddr" } }, set: "@learned" } },
    "update @mapped { ip6 saddr : 0x00000001 }",
    { counter: { packets, bytes: packets * 60 } },
    { match: { op: "==", left: { payload: { protocol: "tcp", field: "dport" } }, right: port } },
    { accept: null },
  ];
  return JSON.stringify({
    nftables: [
      { metainfo: { version: "1.0.6", json_schema_version: 1 } },
      { table: { family: "inet", name: "filter", handle } },
      { set: { ...place, name: "learned", handle, ...elements(learned) } },
      { map: { ...place, name: "expiring", flags: ["timeout"], handle, ...elements(expiring) } },
      { map: { ...place, name: "mapped", handle, ...elements(learned) } },
      { set: { ...place, name: "fixed", handle, ...elements(fixed) } },
      { rule: { ...place, chain: "input", handle, expr } },
    ],
  });
}

test("counters, handles and what packets put into sets do not change the digest", () => {
  const later = ruleset({ handle: 9, packets: 1234, learned: ["2001:db8::7"], expiring: ["2001:db8::8"] });
  expect(digestOf(later)).toBe(digestOf(ruleset({})));
});

test("another rule, and another element of a set that only the file fills, change the digest", () => {
  const before = digestOf(ruleset({ fixed: ["2001:db8::1"] }));
  expect(digestOf(ruleset({ fixed: ["2001:db8::1"], port: 23 }))).not.toBe(before);
  expect(digestOf(ruleset({ fixed: ["2001:db8::2"] }))).not.toBe(before);
});
