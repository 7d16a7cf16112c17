import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeLink } from "../../../../src/system/network/networkd.ts";
import { ipv6Addresses, isUsable } from "../../../../src/system/network/network-interfaces.ts";
import { ipv6Monitor } from "../../../../src/units/network/ipv6-monitor.ts";
import { network } from "../../../../src/units/network/network.ts";
import {
  cabledNode,
  type CabledNode,
  serveSolicitations,
  startNetworkd,
  startRouter,
  stopNetworkd,
  writeConf,
} from "../../../support/networkd.ts";
import type { NetworkNamespace } from "../../../support/network-namespace.ts";
import type { PrivateBus } from "../../../support/private-bus.ts";
import { runUnit } from "../../../support/run-unit.ts";
import type { TestMachine } from "../../../support/test-machine.ts";

// One node's life, told in order, with the real systemd-networkd on a private bus and a router at the other end of the
// cable that is switched on in the middle. Each test starts where the one before has left the machine.

const FILE = "/run/systemd/network/10-eth0.network";
let cabled: CabledNode | undefined;
let bus: PrivateBus;
let node: NetworkNamespace;
let router: NetworkNamespace;
let networkd: ChildProcess;
let machine: TestMachine;
let index: number;

beforeAll(async () => {
  cabled = await cabledNode();
  ({ bus, node, router, machine, index } = cabled);
  await serveSolicitations(bus, node);
});

afterAll(async () => cabled?.stop());

async function usable(): Promise<readonly string[]> {
  return (await ipv6Addresses(node.host)).filter(isUsable).map(({ address }) => address);
}

test("in a boot, the file is written before networkd starts, and no one is asked on the bus", async () => {
  await writeConf(node, "ipv6_address=2001:db8::17/64\nipv6_gateway=2001:db8::1\nname_servers=2001:db8::53 9.9.9.9\n");
  expect(await runUnit(network, machine)).toEqual([
    `write ${FILE}: address 2001:db8::17/64, gateway 2001:db8::1, name servers 2001:db8::53 9.9.9.9`,
  ]);
  expect(await runUnit(network, machine)).toEqual([]);
});

test("networkd takes up the file when it starts, and then nothing is left to do", async () => {
  networkd = await startNetworkd(node, bus);
  await runUnit(ipv6Monitor, machine);
  expect(await usable()).toEqual(["2001:db8::17"]);
  expect(await runUnit(network, machine)).toEqual([]);
  expect(await runUnit(ipv6Monitor, machine)).toEqual([]);
});

test("an edited network.conf is applied through networkd, and what changes is said", async () => {
  await writeConf(
    node,
    "ipv6_address=2001:db8::18/64\nipv6_gateway=2001:db8::1\nipv4_address=192.0.2.18/24\nipv4_gateway=192.0.2.1\ndomain=example.org\n",
  );
  const done = await runUnit(network, machine);
  expect(done).toHaveLength(2);
  expect(done[1]).toBe(
    "have systemd-networkd apply it to eth0: address 2001:db8::17/64 → 192.0.2.18/24 2001:db8::18/64, " +
      "gateway 2001:db8::1 → 192.0.2.1 2001:db8::1, name servers 2001:db8::53 9.9.9.9 → automatic, domain automatic → example.org",
  );
  const { static: applied } = await describeLink(node.host, index);
  expect(applied).toEqual({
    addresses: ["192.0.2.18/24", "2001:db8::18/64"],
    gateways: ["192.0.2.1", "2001:db8::1"],
    nameServers: [],
    domains: ["example.org"],
  });
  expect(await runUnit(network, machine)).toEqual([]);
});

test("an address that was taken away behind our back is noticed and put back", async () => {
  await node.run("ip", "address", "del", "2001:db8::18/64", "dev", "eth0");
  expect(await runUnit(network, machine)).toEqual([
    "have systemd-networkd apply it to eth0: address 192.0.2.18/24 → 192.0.2.18/24 2001:db8::18/64",
  ]);
});

test("a file that was right but never loaded is noticed and applied", async () => {
  const text = String(await node.host.readText(FILE));
  await node.host.writeFile(FILE, text.replaceAll("2001:db8::18", "2001:db8::19"), { mode: 0o644 });
  await writeConf(
    node,
    "ipv6_address=2001:db8::19/64\nipv6_gateway=2001:db8::1\nipv4_address=192.0.2.18/24\nipv4_gateway=192.0.2.1\ndomain=example.org\n",
  );
  const done = await runUnit(network, machine);
  expect(done).toEqual(["have systemd-networkd apply it to eth0: address 192.0.2.18/24 2001:db8::18/64 → 192.0.2.18/24 2001:db8::19/64"]);
});

test("files that we made for another interface go, and files of others stay", async () => {
  await node.host.writeFile("/run/systemd/network/10-eth7.network", String(await node.host.readText(FILE)), { mode: 0o644 });
  await node.host.writeFile("/run/systemd/network/10-theirs.network", "[Match]\nName=nothing\n", { mode: 0o644 });
  expect(await runUnit(network, machine)).toEqual([
    "remove /run/systemd/network/10-eth7.network, made for another interface",
    "have systemd-networkd apply it to eth0: no visible change",
  ]);
  expect(await node.host.list("/run/systemd/network")).toEqual(["10-eth0.network", "10-theirs.network"]);
});

test("a bad value in network.conf is told with its place and leaves the network as it is", async () => {
  const before = await node.host.readText(FILE);
  await writeConf(node, "# comment\nipv6_address=2001:db8::20/640\n");
  await expect(runUnit(network, machine)).rejects.toMatchObject({ problem: { where: { file: "/run/config/network.conf", line: 2 } } });
  expect(await node.host.readText(FILE)).toBe(before);
});

test("without network.conf the node waits for a router, and says when none advertises a prefix", async () => {
  await node.host.remove("/run/config/network.conf");
  const done = await runUnit(network, machine);
  expect(done[1]).toContain("address 192.0.2.18/24 2001:db8::19/64 → automatic");
  expect(await usable()).toEqual([]);
  await expect(runUnit(ipv6Monitor, machine)).rejects.toMatchObject({ problem: { what: "no router advertised a prefix on eth0" } });
});

test("once there is a router, it is asked, and a second run has nothing to do", async () => {
  await startRouter(router, "2001:db8:77::/64");
  expect(await runUnit(ipv6Monitor, machine)).toHaveLength(1);
  const addresses = await usable();
  expect(addresses).toHaveLength(1);
  expect(addresses[0]).toMatch(/^2001:db8:77:.*ff:fe/);
  expect(await runUnit(ipv6Monitor, machine)).toEqual([]);
  expect(await runUnit(network, machine)).toEqual([]);
});

test("without a cable the file is still applied, and the missing carrier is named", async () => {
  await router.run("ip", "link", "set", "eth0", "down");
  await node.run("ip", "-6", "address", "flush", "dev", "eth0", "scope", "global");
  await expect(runUnit(ipv6Monitor, machine)).rejects.toMatchObject({ retryable: true, problem: { what: "eth0 has no carrier" } });
  await writeConf(node, "ipv6_address=2001:db8::21/64\n");
  const done = await runUnit(network, machine);
  expect(done).toHaveLength(2);
  expect(machine.notes.at(-1)).toContain("ipv6_address has no ipv6_gateway");
});

test("an address that another node has is a conflict that names it", async () => {
  await router.run("ip", "link", "set", "eth0", "up");
  await router.run("ip", "address", "add", "2001:db8::22/64", "dev", "eth0", "nodad");
  await stopNetworkd(node, networkd);
  await writeConf(node, "ipv6_address=2001:db8::22/64\n");
  await node.run("ip", "address", "add", "2001:db8::22/64", "dev", "eth0");
  const limit = Date.now() + 20_000;
  while (!(await ipv6Addresses(node.host)).some(({ duplicate }) => duplicate) && Date.now() < limit) await node.run("sleep", "0.1");
  await expect(runUnit(ipv6Monitor, machine)).rejects.toMatchObject({
    problem: { what: "the IPv6 address of eth0 is in use by another node", found: "2001:db8::22 failed duplicate address detection" },
  });
});

test("without networkd the monitor fails with its name, within its time", async () => {
  await writeConf(node, "ipv6_address=2001:db8::23/64\n");
  await expect(runUnit(ipv6Monitor, machine)).rejects.toThrow("org.freedesktop.network1 is not running");
});
