import fc from "fast-check";
import { expect, test } from "vitest";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { checkNetworkConf, parseNetworkConf, scanNetworkConf } from "../../../src/config/network-conf.ts";
import { readNetworkConf, readNetworkConfFile } from "../../../src/config/node-network.ts";
import { ProblemError } from "../../../src/base/problem.ts";
import { fakeHost } from "../../support/fake-host.ts";
import { problemOf } from "../../support/problem-of.ts";

const parse = (text: string): ReturnType<typeof parseNetworkConf> => parseNetworkConf(Buffer.from(text), "network.conf");

const scan = (text: string): ReturnType<typeof scanNetworkConf> => scanNetworkConf(Buffer.from(text), "network.conf");
const warnings = (text: string): readonly string[] => scan(text).warnings;

const FULL = `ipv6_address=2001:db8::17/64
ipv6_gateway=2001:db8::1
ipv4_address=192.0.2.17/24
ipv4_gateway=192.0.2.1
name_servers=2606:4700:4700::1111 192.0.2.53
hostname=node-17
domain=example.org
`;

test("every key has its place", () => {
  expect(parse(FULL)).toEqual({
    ipv6_address: "2001:db8::17/64",
    ipv6_gateway: "2001:db8::1",
    ipv4_address: "192.0.2.17/24",
    ipv4_gateway: "192.0.2.1",
    name_servers: ["2606:4700:4700::1111", "192.0.2.53"],
    hostname: "node-17",
    domain: "example.org",
  });
});

test("a key without a value counts as absent, as host tools write it", () => {
  expect(parse("ipv6_address=\nipv6_gateway=\nname_servers=\nhostname=\n")).toEqual({ name_servers: [] });
});

test.each([
  "hostname=a",
  "domain=localdomain",
  "domain=localhost.example.org",
  "hostname=NODE.Example.Org",
  "hostname=7",
  "hostname=a.b-c.d",
  `hostname=${"a".repeat(63)}`,
  "ipv6_address=2001:db8::1/128",
  "ipv6_address=fd00::1/8",
  "ipv6_address=2001:db8::1/64\nipv6_gateway=fe80::1",
  "ipv4_address=10.0.0.1/32",
  // On the link, outside of the prefix: systemd.network(5), GatewayOnLink=.
  "ipv4_address=10.0.0.1/32\nipv4_gateway=10.0.0.254",
  "ipv4_address=10.0.0.1/24\nipv4_gateway=169.254.1.1",
  "ipv6_address=2001:db8::1/128\nipv6_gateway=2001:db8::2",
  // RFC 3021 and RFC 6164: a link of two has neither an address of its own nor one of all.
  "ipv4_address=192.0.2.0/31\nipv4_gateway=192.0.2.1",
  "ipv6_address=2001:db8::1/127\nipv6_gateway=2001:db8::",
  "name_servers=127.0.0.53 ::1",
  "name_servers=  1.1.1.1   8.8.8.8 ",
])("%j is fine", (text) => {
  expect(() => parse(text)).not.toThrow();
});

test.each([
  ["ipv6_address=2001:db8::17", 14, "prefix length"],
  ["ipv6_address=2001:db8::17/", 14, "prefix length"],
  ["ipv6_address=2001:db8::17/0", 14, "prefix length"],
  ["ipv6_address=2001:db8::17/129", 14, "prefix length"],
  ["ipv6_address=2001:db8::17/-1", 14, "prefix length"],
  ["ipv6_address=2001:db8::17/64/64", 14, "prefix length"],
  ["ipv6_address=2001:db8::g/64", 14, "prefix length"],
  ["ipv6_address=1:2:3:4:5:6:7:8:9/64", 14, "prefix length"],
  ["ipv6_address=192.0.2.1/24", 14, "IPv6"],
  ["ipv6_address=::/64", 14, "IPv6"],
  ["ipv6_address=::1/64", 14, "IPv6"],
  ["ipv6_address=ff02::1/64", 14, "IPv6"],
  ["ipv6_address=::ffff:192.0.2.1/96", 14, "IPv6"],
  ["ipv6_address=fe80::1%eth0/64", 14, "IPv6"],
  ["ipv6_address=2001:db8::1/64 2001:db8::2/64", 14, "IPv6"],
  ["ipv6_address=2001:db8::1/64\\nGateway=::", 14, "IPv6"],
  ["ipv4_address=192.0.2.17", 14, "prefix length"],
  ["ipv4_address=192.0.2.17/33", 14, "prefix length"],
  ["ipv4_address=192.0.2.17/255.255.255.0", 14, "prefix length"],
  ["ipv4_address=192.0.2.256/24", 14, "IPv4"],
  ["ipv4_address=192.0.2/24", 14, "IPv4"],
  ["ipv4_address=0300.0.2.1/24", 14, "IPv4"],
  ["ipv4_address=127.0.0.1/8", 14, "IPv4"],
  ["ipv4_address=0.0.0.0/24", 14, "IPv4"],
  ["ipv4_address=224.0.0.1/24", 14, "IPv4"],
  ["ipv4_address=255.255.255.255/24", 14, "IPv4"],
  ["ipv6_gateway=2001:db8::1", 14, "ipv6_address beside it"],
  ["ipv4_gateway=192.0.2.1", 14, "ipv4_address beside it"],
  ["ipv6_address=x\nipv6_gateway=2001:db8::1", 14, "prefix length"],
  ["ipv6_gateway=2001:db8::1/64", 14, "IPv6 address"],
  ["ipv6_gateway=fe80::1%eth0", 14, "IPv6 address"],
  ["ipv4_gateway=192.0.2.1/24", 14, "IPv4 address"],
  ["ipv4_gateway=router", 14, "IPv4 address"],
  ["name_servers=1.1.1.1 dns.example.org", 22, "addresses"],
  ["name_servers=1.1.1.1,8.8.8.8", 14, "separated by blanks"],
  ["name_servers=1.1.1.1 8.8.8.8 1.1.1.1", 30, "each once"],
  ["name_servers=fe80::1%eth0", 14, "addresses"],
  ["hostname=-a", 10, "RFC 1123"],
  ["hostname=a-", 10, "RFC 1123"],
  ["hostname=a_b", 10, "RFC 1123"],
  ["hostname=a..b", 10, "RFC 1123"],
  ["hostname=a.", 10, "RFC 1123"],
  ["hostname=a b", 10, "RFC 1123"],
  ["hostname=$(reboot)", 10, "RFC 1123"],
  ["hostname=10.0.0.1", 10, "RFC 1123"],
  ["hostname=../../etc/passwd", 10, "RFC 1123"],
  [`hostname=${"a".repeat(64)}`, 10, "at most 64"],
  [`hostname=${"a".repeat(32)}.${"b".repeat(32)}`, 10, "at most 64"],
  ["hostname=größe", 10, "RFC 1123"],
  ["domain=example..org", 8, "domain name"],
  [`domain=${"a.".repeat(130)}b`, 8, "domain name"],
  ["host=a", 1, "hostname"],
  // src/basic/hostname-util.c, is_localhost, of systemd, which drops it (config_parse_domains); RFC 6761, section 6.3.
  ["domain=localhost", 8, "localhost"],
  ["domain=localhost.localdomain", 8, "localhost"],
  ["domain=LOCALHOST", 8, "localhost"],
  ["domain=a.localhost", 8, "localhost"],
  ["domain=a.localhost.localdomain", 8, "localhost"],
  ["domain=0x7f.1", 8, "domain name"],
  // RFC 4291, section 2.5.6; RFC 3927, section 1.6.
  ["ipv6_address=fe80::17/64", 14, "beyond the link"],
  ["ipv4_address=169.254.1.17/16", 14, "beyond the link"],
  ["name_servers=2001:db8::1 2001:DB8:0::1", 26, "each once"],
])("%j is refused with its place and what was expected", async (text, column, expected) => {
  const problem = await problemOf(() => parse(text));
  expect(problem.where).toEqual({ file: "network.conf", line: 1, column });
  expect(`${problem.expected}`).toContain(expected);
});

test.each([
  ["ipv6_address=2001:db8::17/64\nipv6_gateway=2001:db8:0:0::17", "another address"],
  ["ipv4_address=192.0.2.17/24\nipv4_gateway=192.0.2.17", "another address"],
  // RFC 919, section 7; the kernel answers EINVAL.
  ["ipv4_address=192.0.2.17/24\nipv4_gateway=192.0.2.255", "one machine"],
  ["ipv4_address=192.0.2.1/30\nipv4_gateway=192.0.2.3", "one machine"],
])("%j: a gateway that the kernel refuses is refused", async (text, expected) => {
  expect(await problemOf(() => parse(text))).toMatchObject({ where: { line: 2, column: 14 }, expected: expect.stringContaining(expected) });
});

test("all mistakes are named at once", async () => {
  const problem = await problemOf(() => parse("hostname=-a\nipv6_address=x\nname_servers=a b\nnonsense=1\n"));
  expect(problem).toMatchObject({ what: "there are 5 mistakes in the file", where: { line: 1, column: 10 } });
  for (const place of ["1:10 hostname", "2:14 ipv6_address", "3:14 name_servers", "3:16 name_servers", "4:1 there is no such key"])
    expect(problem.found).toContain(place);
});

test.each([
  ["ipv6_address=2001:db8::17/64\nipv6_gateway=2001:db9::1", "outside"],
  ["ipv4_address=192.0.2.17/24\nipv4_gateway=192.0.3.1", "outside"],
  ["ipv4_address=192.0.2.17/24", "no ipv4_gateway"],
  // RFC 1122, section 3.2.1.3; RFC 4291, section 2.6.1. Linux takes the lowest IPv4 address for a machine's since 5.14.
  ["ipv4_address=192.0.2.255/24\nipv4_gateway=192.0.2.1", "of all in its network"],
  ["ipv4_address=192.0.2.0/24\nipv4_gateway=192.0.2.1", "of its network"],
  ["ipv6_address=2001:db8::/64\nipv6_gateway=2001:db8::1", "of its network"],
  ["ipv4_address=192.0.2.17/24\nipv4_gateway=192.0.2.0", "of its network"],
])("%j is allowed, and warned of", (text, warning) => {
  expect(warnings(text)).toEqual([expect.stringContaining(warning)]);
});

test("what works gives no warning", () => {
  for (const text of [
    FULL,
    "ipv6_address=2001:db8::17/64\nipv6_gateway=fe80::1",
    "ipv4_address=10.0.0.1/32\nipv4_gateway=10.0.0.254",
    "ipv4_address=192.0.2.0/31\nipv4_gateway=192.0.2.1",
    "ipv6_address=2001:db8::17/64\nipv6_gateway=2001:db8::",
  ])
    expect(warnings(text)).toEqual([]);
});

// systemd.network(5) takes a prefix length by strtoul(3) with base 0: /064 would be /52, and /024 /20. RFC 5952 for addresses, RFC 4343 for names.
test("each value is understood in one spelling, whatever it came in", () => {
  expect(
    parse(
      "ipv6_address=2001:0DB8:0:0::17/064\nipv6_gateway=FE80:0::1\nipv4_address=192.0.2.17/024\nipv4_gateway=192.0.2.1\n" +
        "name_servers=2001:DB8:0::53 0:0:0:0:0:0:0:1\nhostname=Node-17\ndomain=Example.ORG\n",
    ),
  ).toEqual({
    ipv6_address: "2001:db8::17/64",
    ipv6_gateway: "fe80::1",
    ipv4_address: "192.0.2.17/24",
    ipv4_gateway: "192.0.2.1",
    name_servers: ["2001:db8::53", "::1"],
    hostname: "Node-17",
    domain: "example.org",
  });
});

test("what a node understood of a file, it understands of its own spelling, too", () => {
  const prefix = fc.integer({ min: 1, max: 128 }).map((length) => `/${"0".repeat(length < 10 ? 2 : length < 100 ? 1 : 0)}${length}`);
  const confs = fc.record({ address: fc.tuple(fc.ipV6(), prefix).map((parts) => parts.join("")), gateway: fc.ipV6(), domain: fc.domain() });
  const text = ({ conf }: ReturnType<typeof scan>): string =>
    Object.entries(conf)
      .flatMap(([key, value]) => (typeof value === "string" ? [`${key}=${value}\n`] : []))
      .join("");
  fc.assert(
    fc.property(confs, ({ address, gateway, domain }) => {
      const once = scan(`ipv6_address=${address}\nipv6_gateway=${gateway}\ndomain=${domain.toUpperCase()}\n`);
      const twice = scan(text(once));
      expect(twice).toMatchObject({ conf: once.conf, malformed: [], unusable: [] });
    }),
  );
});

test("on a node, a value that cannot be used counts as absent, a gateway goes with its address, and nothing else does", () => {
  const good = "ipv6_address=2001:db8::17/64\nipv6_gateway=2001:db8::1\nname_servers=2001:db8::53\n";
  const kept = { ipv6_address: "2001:db8::17/64", ipv6_gateway: "2001:db8::1", name_servers: ["2001:db8::53"] };
  const ipv4 = { ipv4_address: "192.0.2.17/24" };
  for (const [bad, more, places] of [
    ["domain=localhost.localdomain", {}, [[4, 8, "domain"]]],
    ["ipv4_address=192.0.2.17/33\nipv4_gateway=192.0.2.1", {}, [[4, 14, "ipv4_address"]]],
    ["ipv4_address=169.254.0.1/16\nipv4_gateway=169.254.0.2", {}, [[4, 14, "ipv4_address"]]],
    ["ipv4_address=192.0.2.17/24\nipv4_gateway=192.0.2.255", ipv4, [[5, 14, "ipv4_gateway"]]],
    ["ipv4_address=192.0.2.17/24\nipv4_gateway=192.0.2.17", ipv4, [[5, 14, "ipv4_gateway"]]],
    ["ipv4_address=192.0.2.17/24\nipv4_gateway=router", ipv4, [[5, 14, "ipv4_gateway"]]],
    ["ipv4_gateway=192.0.2.1", {}, [[4, 14, "ipv4_gateway"]]],
    ["hostname=-", {}, [[4, 10, "hostname"]]],
    [
      "ipv6_addres=x\nnonsense",
      {},
      [
        [4, 1, undefined],
        [5, 1, undefined],
      ],
    ],
  ] as const) {
    const { conf, malformed, unusable } = scan(`${good}${bad}\n`);
    expect(conf, bad).toEqual({ ...kept, ...more });
    expect([...malformed, ...unusable].map(({ line, column, key }) => [line, column, key])).toEqual(places);
  }
});

test("a link-local ipv6_address (RFC 4291, 2.5.6) is refused on a medium; a node that has it keeps it, and is told", () => {
  for (const [address, isLocal] of [
    ["fe80::17/64", true],
    ["febf:ffff::1/10", true],
    ["fec0::1/64", false],
  ] as const) {
    const text = `ipv6_address=${address}\nipv6_gateway=fe80::1\n`;
    const { conf, local, malformed, unusable } = scan(text);
    expect(conf).toMatchObject({ ipv6_address: address, ipv6_gateway: "fe80::1" });
    expect([local.length, malformed, unusable]).toEqual([isLocal ? 1 : 0, [], []]);
    expect(warnings(text).some((warning) => warning.includes("is link-local"))).toBe(isLocal);
    const take = (): readonly string[] => checkNetworkConf(Buffer.from(text), "f");
    if (isLocal) expect(take).toThrow("beyond the link");
    else expect(take).not.toThrow();
  }
});

test("of several name servers, those that are none are left out", () => {
  const { conf, malformed } = scan("name_servers=dns 9.9.9.9 x 1.1.1.1 9.9.9.9\n");
  expect(conf.name_servers).toEqual(["9.9.9.9", "1.1.1.1"]);
  expect(malformed.map(({ column }) => column)).toEqual([14, 26, 36]);
});

test("a node takes in from a medium what would merely be left out, and says so; the builder of the medium is refused it", async () => {
  const text = Buffer.from("hostname=a\ndomain=localhost\n");
  expect(checkNetworkConf(text, "f")).toEqual([
    expect.stringMatching(/^line 2, column 8: domain is not usable, and is ignored: found "localhost"/),
  ]);
  expect(() => parseNetworkConf(text, "f")).toThrow("domain is not usable");
  expect(() => checkNetworkConf(Buffer.from("hostname=-\n"), "f")).toThrow("hostname is not usable");
});

test("whatever is in the values, it is an answer or a problem, never another error", () => {
  const value = fc.oneof(
    fc.ipV6(),
    fc.ipV4(),
    fc.string({ unit: fc.constantFrom(..."0129af:./% -x"), maxLength: 20 }),
    fc.constantFrom("2001:db8::1/64", "192.0.2.1/24", "fe80::1", ""),
  );
  const key = fc.constantFrom("ipv6_address", "ipv6_gateway", "ipv4_address", "ipv4_gateway", "name_servers", "hostname", "domain");
  fc.assert(
    fc.property(fc.dictionary(key, value), (conf) => {
      try {
        parse(
          Object.entries(conf)
            .map(([name, content]) => `${name}=${content}\n`)
            .join(""),
        );
      } catch (error) {
        expect(error).toBeInstanceOf(ProblemError);
      }
    }),
    { numRuns: 500 },
  );
});

test("without a file everything is automatic; of a bad one, what is right is used", async () => {
  expect(await readNetworkConf(fakeHost(), guestosLayout)).toEqual({ name_servers: [] });
  const host = fakeHost({ files: { "/boot/config/network.conf": "hostname=-\ndomain=example.org\n" } });
  expect(await readNetworkConf(host, guestosLayout)).toEqual({ name_servers: [], domain: "example.org" });
  expect(await readNetworkConfFile(host, guestosLayout)).toMatchObject({ malformed: [{ key: "hostname", line: 1, column: 10 }] });
});
