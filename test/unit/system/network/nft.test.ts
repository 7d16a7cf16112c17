import { expect, test } from "vitest";
import { digestOf } from "../../../../src/system/network/nft.ts";

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
