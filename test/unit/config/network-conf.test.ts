import fc from "fast-check";
import { expect, test } from "vitest";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { networkConfWarnings, parseNetworkConf, parseNetworkConfOfMedium, readNetworkConf } from "../../../src/config/network-conf.ts";
import { ProblemError } from "../../../src/base/problem.ts";
import { fakeHost } from "../../support/fake-host.ts";
import { problemOf } from "../../support/problem-of.ts";

const parse = (text: string): ReturnType<typeof parseNetworkConf> => parseNetworkConf(Buffer.from(text), "network.conf");

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
  "hostname=NODE.Example.Org",
  "hostname=7",
  "hostname=a.b-c.d",
  `hostname=${"a".repeat(63)}`,
  "ipv6_address=2001:db8::1/128",
  "ipv6_address=fd00::1/8",
  "ipv6_address=2001:db8::1/64\nipv6_gateway=fe80::1",
  "ipv4_address=10.0.0.1/32",
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
])("%j is refused with its place and what was expected", async (text, column, expected) => {
  const problem = await problemOf(() => parse(text));
  expect(problem.where).toEqual({ file: "network.conf", line: 1, column });
  expect(`${problem.expected}`).toContain(expected);
});

test.each([
  ["ipv6_address=2001:db8::17/64\nipv6_gateway=2001:db8:0:0::17", "another address"],
  ["ipv4_address=192.0.2.17/24\nipv4_gateway=192.0.2.17", "another address"],
])("%j: a node is not its own gateway", async (text, expected) => {
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
])("%j is allowed, and warned of", (text, warning) => {
  expect(networkConfWarnings(parse(text))).toEqual([expect.stringContaining(warning)]);
});

test("a link-local ipv6_address (RFC 4291, 2.5.6) is refused on a medium, and only warned of on a node that has it", async () => {
  for (const [address, isRefused] of [
    ["fe80::17/64", true],
    ["FEBF:FFFF::1/10", true],
    ["fec0::1/64", false],
    ["2001:db8::17/64", false],
  ] as const) {
    const text = `ipv6_address=${address}\nipv6_gateway=fe80::1\n`;
    expect(networkConfWarnings(parse(text)).some((warning) => warning.includes("link-local"))).toBe(isRefused);
    const onMedium = async () => parseNetworkConfOfMedium(Buffer.from(text), "network.conf");
    if (isRefused)
      expect(await problemOf(onMedium)).toMatchObject({
        where: { line: 1, column: 14 },
        expected: expect.stringContaining("a global address"),
      });
    else expect(await onMedium()).toMatchObject({ ipv6_address: address });
  }
});

test("what works gives no warning", () => {
  expect(networkConfWarnings(parse(FULL))).toEqual([]);
  expect(networkConfWarnings(parse("ipv6_address=2001:db8::17/64\nipv6_gateway=fe80::1"))).toEqual([]);
});

test("whatever stands in the values, it is an answer or a problem, never another error", () => {
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
        networkConfWarnings(
          parse(
            Object.entries(conf)
              .map(([name, content]) => `${name}=${content}\n`)
              .join(""),
          ),
        );
      } catch (error) {
        expect(error).toBeInstanceOf(ProblemError);
      }
    }),
    { numRuns: 500 },
  );
});

test("without a file everything is automatic; a bad file names itself", async () => {
  expect(await readNetworkConf(fakeHost(), guestosLayout)).toEqual({ name_servers: [] });
  const host = fakeHost({ files: { "/boot/config/network.conf": "hostname=-" } });
  expect(await problemOf(() => readNetworkConf(host, guestosLayout))).toMatchObject({
    where: { file: "/boot/config/network.conf", line: 1, column: 10 },
  });
});
