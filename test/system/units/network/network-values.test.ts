import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { scanNetworkConf } from "../../../../src/config/network-conf.ts";
import { call, withSystemBus } from "../../../../src/system/systemd/dbus.ts";
import { asStatic, type LinkDescription } from "../../../../src/system/network/link-description.ts";
import type { StaticSettings } from "../../../../src/system/network/network-file.ts";
import { describeLink } from "../../../../src/system/network/networkd.ts";
import { network, networkSettings } from "../../../../src/units/network/network.ts";
import { cabledNode, type CabledNode, startNetworkd, writeConf } from "../../../support/networkd.ts";
import type { NetworkNamespace } from "../../../support/network-namespace.ts";
import type { PrivateBus } from "../../../support/private-bus.ts";
import { problemOf } from "../../../support/problem-of.ts";
import { runUnit } from "../../../support/run-unit.ts";
import type { TestMachine } from "../../../support/test-machine.ts";

// The check of network.conf against the real systemd-networkd and the real kernel: what it lets through is in force to the letter, and
// what it keeps back would not be. In one networkd, one after the other: each value also takes the place of the one before.

const FILE = "/run/systemd/network/10-eth0.network";
let cabled: CabledNode | undefined;
let bus: PrivateBus;
let node: NetworkNamespace;
let machine: TestMachine;
let index: number;

beforeAll(async () => {
  cabled = await cabledNode();
  ({ bus, node, machine, index } = cabled);
  await startNetworkd(node, bus);
  await node.host.makeFolder("/run/systemd/network", { mode: 0o755 });
});

afterAll(async () => cabled?.stop());

const V4 = "ipv4_address=192.0.2.17/24";
const V6 = "ipv6_address=2001:db8::17/64";
const nothing: StaticSettings = { addresses: [], gateways: [], nameServers: [], domains: [] };

async function applied(): Promise<StaticSettings> {
  return (await describeLink(node.host, index)).static;
}

test.each<readonly [string, Partial<StaticSettings>]>([
  // networkd alone would read 020 and 052: strtoul(3), base 0.
  ["ipv4_address=192.0.2.17/024\nipv4_gateway=192.0.2.1", { addresses: ["192.0.2.17/24"], gateways: ["192.0.2.1"] }],
  ["ipv6_address=2001:0DB8:0::17/064\nipv6_gateway=2001:DB8:0:0::1", { addresses: ["2001:db8::17/64"], gateways: ["2001:db8::1"] }],
  // On the link, inside and outside of the prefix: systemd.network(5), GatewayOnLink=. The same gateway in turn.
  ["ipv4_address=192.0.2.17/24\nipv4_gateway=192.0.2.1", { addresses: ["192.0.2.17/24"], gateways: ["192.0.2.1"] }],
  ["ipv4_address=192.0.2.17/32\nipv4_gateway=192.0.2.1", { addresses: ["192.0.2.17/32"], gateways: ["192.0.2.1"] }],
  ["ipv4_address=192.0.2.18/24\nipv4_gateway=192.0.2.1", { addresses: ["192.0.2.18/24"], gateways: ["192.0.2.1"] }],
  ["ipv4_address=192.0.2.17/24\nipv4_gateway=198.51.100.1", { addresses: ["192.0.2.17/24"], gateways: ["198.51.100.1"] }],
  ["ipv4_address=192.0.2.17/24\nipv4_gateway=169.254.1.1", { addresses: ["192.0.2.17/24"], gateways: ["169.254.1.1"] }],
  ["ipv6_address=2001:db8::17/64\nipv6_gateway=2001:db8::1", { addresses: ["2001:db8::17/64"], gateways: ["2001:db8::1"] }],
  ["ipv6_address=2001:db8::17/128\nipv6_gateway=2001:db8::1", { addresses: ["2001:db8::17/128"], gateways: ["2001:db8::1"] }],
  ["ipv6_address=2001:db8::17/64\nipv6_gateway=2001:db9::1", { addresses: ["2001:db8::17/64"], gateways: ["2001:db9::1"] }],
  ["ipv6_address=2001:db8::17/128\nipv6_gateway=fe80::1", { addresses: ["2001:db8::17/128"], gateways: ["fe80::1"] }],
  // RFC 3021, RFC 6164: the two of a link of two.
  ["ipv4_address=192.0.2.0/31\nipv4_gateway=192.0.2.1", { addresses: ["192.0.2.0/31"], gateways: ["192.0.2.1"] }],
  ["ipv4_address=192.0.2.1/31\nipv4_gateway=192.0.2.0", { addresses: ["192.0.2.1/31"], gateways: ["192.0.2.0"] }],
  ["ipv6_address=2001:db8::1/127\nipv6_gateway=2001:db8::", { addresses: ["2001:db8::1/127"], gateways: ["2001:db8::"] }],
  // Warned of.
  ["ipv4_address=192.0.2.0/24\nipv4_gateway=192.0.2.1", { addresses: ["192.0.2.0/24"], gateways: ["192.0.2.1"] }],
  ["ipv4_address=192.0.2.255/24", { addresses: ["192.0.2.255/24"] }],
  ["ipv4_address=192.0.2.17/24\nipv4_gateway=192.0.2.0", { addresses: ["192.0.2.17/24"], gateways: ["192.0.2.0"] }],
  ["ipv6_address=fe80::17/64\nipv6_gateway=fe80::1", { addresses: ["fe80::17/64"], gateways: ["fe80::1"] }],
  ["ipv6_address=2001:db8::/64\nipv6_gateway=2001:db8::1", { addresses: ["2001:db8::/64"], gateways: ["2001:db8::1"] }],
  // The ends of what is let through.
  ["ipv4_address=1.0.0.1/1\nipv4_gateway=126.255.255.255", { addresses: ["1.0.0.1/1"], gateways: ["126.255.255.255"] }],
  ["ipv6_address=::2/1\nipv6_gateway=::3", { addresses: ["::2/1"], gateways: ["::3"] }],
  ["ipv6_address=64:ff9b::192.0.2.17/96\nipv6_gateway=::1.2.3.4", { addresses: ["64:ff9b::c000:211/96"], gateways: ["::1.2.3.4"] }],
  ["name_servers=127.0.0.53 0:0:0:0:0:0:0:1 FE80:0::1 192.0.2.255", { nameServers: ["127.0.0.53", "::1", "fe80::1", "192.0.2.255"] }],
  ["domain=LOCALDOMAIN", { domains: ["localdomain"] }],
  ["domain=7", { domains: ["7"] }],
  [`domain=${"a.".repeat(125)}bcd`, { domains: [`${"a.".repeat(125)}bcd`] }],
  [
    `${V4}\nipv4_gateway=198.51.100.1\n${V6}\nipv6_gateway=fe80::1\nname_servers=9.9.9.9\ndomain=Example.ORG`,
    {
      addresses: ["192.0.2.17/24", "2001:db8::17/64"],
      gateways: ["198.51.100.1", "fe80::1"],
      nameServers: ["9.9.9.9"],
      domains: ["example.org"],
    },
  ],
])("%j is let through, and is in force to the letter", async (conf, expected) => {
  await writeConf(node, `${conf}\n`);
  await runUnit(network, machine);
  expect(await applied()).toEqual({ ...nothing, ...expected });
  const { conf: understood, malformed, unusable } = scanNetworkConf(Buffer.from(conf), "network.conf");
  expect([malformed, unusable]).toEqual([[], []]);
  expect(asStatic(networkSettings(understood))).toEqual({ ...nothing, ...expected });
  expect(await runUnit(network, machine)).toEqual([]);
});

const MANAGER = {
  destination: "org.freedesktop.network1",
  path: "/org/freedesktop/network1",
  interface: "org.freedesktop.network1.Manager",
};

let files = 0;

/** What networkd makes of a file once it is done with it. */
async function madeOf(lines: string): Promise<StaticSettings> {
  files += 1;
  // By this it is known that what networkd shows is of this file.
  const mark = `198.51.100.${files}`;
  const text = `[Match]\nName=eth0\n[Network]\nDHCP=no\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=no\nDNS=${mark}\n${lines}\n`;
  await node.host.writeFile(FILE, text, { mode: 0o644 });
  await withSystemBus(node.host, async (open) => {
    await call(open, { ...MANAGER, member: "Reload" });
    await call(open, { ...MANAGER, member: "ReconfigureLink", signature: "i", body: [index] });
  });
  const isDone = ({ administrativeState, static: { nameServers } }: LinkDescription): boolean =>
    ["configured", "failed"].includes(administrativeState) && nameServers.includes(mark);
  let steady = 0;
  for (const end = Date.now() + 10_000; steady < 3 && Date.now() < end;) {
    await wait(100);
    steady = isDone(await describeLink(node.host, index)) ? steady + 1 : 0;
  }
  expect(steady).toBe(3);
  const made = await applied();
  return { ...made, nameServers: made.nameServers.filter((server) => server !== mark) };
}

test("the file of a version before, without GatewayOnLink=, is replaced in a networkd that runs", async () => {
  await writeConf(node, `${V6}\nipv6_gateway=2001:db8::1\n${V4}\nipv4_gateway=192.0.2.1\n`);
  await madeOf("Address=2001:db8::17/64\nAddress=192.0.2.17/24\nGateway=2001:db8::1\nGateway=192.0.2.1");
  await runUnit(network, machine);
  expect(await applied()).toEqual({ ...nothing, addresses: ["192.0.2.17/24", "2001:db8::17/64"], gateways: ["192.0.2.1", "2001:db8::1"] });
});

const onLink = (gateway: string): string => `[Route]\nGateway=${gateway}\nGatewayOnLink=yes`;

test.each([
  ["name_servers=9.9.9", "DNS=9.9.9"],
  ["domain=localhost", "Domains=localhost"],
  ["domain=localhost.localdomain", "Domains=localhost.localdomain"],
  ["domain=a.LOCALHOST", "Domains=a.LOCALHOST"],
  ["domain=a.localhost.localdomain", "Domains=a.localhost.localdomain"],
  [`${V4}\nipv4_gateway=192.0.2.255`, `Address=192.0.2.17/24\n${onLink("192.0.2.255")}`],
  [`${V4}\nipv4_gateway=192.0.2.17`, `Address=192.0.2.17/24\n${onLink("192.0.2.17")}`],
  [`${V4}\nipv4_gateway=224.0.0.1`, `Address=192.0.2.17/24\n${onLink("224.0.0.1")}`],
  [`${V4}\nipv4_gateway=127.0.0.1`, `Address=192.0.2.17/24\n${onLink("127.0.0.1")}`],
  [`${V4}\nipv4_gateway=255.255.255.255`, `Address=192.0.2.17/24\n${onLink("255.255.255.255")}`],
  [`${V4}\nipv4_gateway=0.0.0.0`, `Address=192.0.2.17/24\n${onLink("0.0.0.0")}`],
  [`${V6}\nipv6_gateway=2001:db8::17`, `Address=2001:db8::17/64\n${onLink("2001:db8::17")}`],
  [`${V6}\nipv6_gateway=ff02::1`, `Address=2001:db8::17/64\n${onLink("ff02::1")}`],
  [`${V6}\nipv6_gateway=::1`, `Address=2001:db8::17/64\n${onLink("::1")}`],
  [`${V6}\nipv6_gateway=::`, `Address=2001:db8::17/64\n${onLink("::")}`],
  ["ipv4_address=192.0.2.17/33", "Address=192.0.2.17/33"],
  ["ipv6_address=2001:db8::17/129", "Address=2001:db8::17/129"],
  ["ipv6_address=ff02::17/64", "Address=ff02::17/64"],
])("%j is kept back, and would not be in force", async (conf, lines) => {
  const { conf: used, malformed, unusable } = scanNetworkConf(Buffer.from(conf), "network.conf");
  expect([...malformed, ...unusable]).toHaveLength(1);
  // The address beside a gateway is a good one.
  expect(await madeOf(lines)).toEqual(asStatic(networkSettings(used)));
});

test("what cannot be used of a file costs nothing else in it, neither family the other, and is told", async () => {
  for (const [conf, place, expected] of [
    [
      `${V4}\nipv4_gateway=192.0.2.255\n${V6}\nipv6_gateway=2001:db8::1\nname_servers=9.9.9.9\ndomain=localhost.localdomain\n`,
      { line: 2, column: 14 },
      { addresses: ["192.0.2.17/24", "2001:db8::17/64"], gateways: ["2001:db8::1"], nameServers: ["9.9.9.9"] },
    ],
    [
      `${V4}\nipv4_gateway=192.0.2.1\nipv6_address=2001:db8::17/640\nipv6_gateway=fe80::1\ndomain=example.org\nname_servers=x 9.9.9.9\n`,
      { line: 3, column: 14 },
      { addresses: ["192.0.2.17/24"], gateways: ["192.0.2.1"], nameServers: ["9.9.9.9"], domains: ["example.org"] },
    ],
  ] as const) {
    await writeConf(node, conf);
    // As in a boot: what is there already is not taken away for a mistake.
    await node.host.remove(FILE);
    // The error of a goal that cannot be reached, after 20 s, would be networkd's.
    const problem = await problemOf(() => runUnit(network, machine));
    expect(problem).toMatchObject({ what: expect.stringContaining("2 mistakes"), where: { file: "/run/config/network.conf", ...place } });
    expect(await applied()).toEqual({ ...nothing, ...expected });
    expect(await problemOf(() => network.plan(machine))).toEqual(problem);
  }
});

// systemd.network(5): what is in a folder .d beside a file is read after it, and an empty value takes back what was said before; of two
// files that match, the first by name counts.
test.each([
  ["a part, as long as one family has all that it was to have", `${FILE}.d`, "[Network]\nDNS=\n", "name servers automatic → 9.9.9.9", true],
  [
    "all, where the file is not in force",
    "/run/systemd/network",
    "[Match]\nName=eth0\n",
    "file /run/systemd/network/00-test.network",
    false,
  ],
])("what networkd alone leaves out is %s", async (_, folder, text, missing, partial) => {
  await writeConf(node, `${V6}\nipv6_gateway=2001:db8::1\n${V4}\nipv4_gateway=192.0.2.1\nname_servers=9.9.9.9\n`);
  const other = `${folder}/00-test.${partial ? "conf" : "network"}`;
  await node.host.makeFolder(folder, { mode: 0o755 });
  await node.host.writeFile(other, text, { mode: 0o644 });
  await node.host.remove(FILE);
  await expect(runUnit(network, machine)).rejects.toMatchObject({
    partial,
    retryable: !partial,
    problem: { what: `systemd-networkd did not apply ${FILE} within 20 s`, found: expect.stringContaining(missing) },
  });
  await node.host.remove(other);
  await runUnit(network, machine);
});
