import { afterAll, beforeAll, expect, test } from "vitest";
import { type NodeCard, writeNodeCard } from "../../../src/config/state/network-card.ts";
import { networkCheck } from "../../../src/doctor/network.ts";
import { network } from "../../../src/units/network/network.ts";
import { ipv6Monitor } from "../../../src/units/network/ipv6-monitor.ts";
import { cable, networkLayout, startNetworkd, writeConf } from "../../support/networkd.ts";
import { type NetworkNamespace, networkNamespace } from "../../support/network-namespace.ts";
import { type PrivateBus, privateBus } from "../../support/private-bus.ts";
import { runUnit } from "../../support/run-unit.ts";
import { testMachine } from "../../support/test-machine.ts";
import { testNode } from "../../support/test-node.ts";

// The real systemd-networkd on a private bus, on a node whose cable is pulled. In this order.

let bus: PrivateBus;
let node: NetworkNamespace;
let router: NetworkNamespace;

beforeAll(async () => {
  bus = await privateBus();
  node = await networkNamespace();
  router = await networkNamespace();
  await cable(node, router);
});

afterAll(async () => {
  await node?.stop();
  await router?.stop();
  await bus?.stop();
});

/** @returns the fact and what is wrong */
async function inspect(): Promise<readonly [string, readonly string[]]> {
  const { fact, findings } = await networkCheck.inspect(testNode(node.host, { layout: networkLayout }), node.host);
  return [fact, findings.map(({ level, problem }) => `${level}: ${problem.what}`)];
}

test("a network that no one configures is wrong, whatever its file says", async () => {
  await writeConf(node, "ipv6_address=2001:db8::17/64\nipv6_gateway=2001:db8::1\nname_servers=2001:db8::53\n");
  await runUnit(network, testMachine(node.host, networkLayout));
  expect((await inspect())[1]).toEqual(["wrong: eth0 is not configured: systemd-networkd does not run"]);
});

test("an interface that networkd has configured is fine, with its addresses", async () => {
  await startNetworkd(node, bus);
  await runUnit(ipv6Monitor, testMachine(node.host, networkLayout));
  await expect.poll(inspect, { timeout: 20_000 }).toEqual(["eth0 is routable: 2001:db8::17/64", []]);
});

test("that the node's card is another one since this boot is worth a notice, and so is one that only its name has decided for", async () => {
  await node.run("ip", "link", "add", "eth1", "type", "veth", "peer", "name", "stray1");
  const bootId = String(await node.host.readText("/proc/sys/kernel/random/boot_id")).trim();
  const card = {
    mac: String(await node.host.readText("/sys/class/net/eth0/address")).trim(),
    path: "pci0000:00/0000:00:01.0",
    name: "eth0",
  };
  const remember = async (more: Partial<NodeCard>): Promise<void> =>
    writeNodeCard(node.host, networkLayout.config.networkCard, { version: 1, card, because: "only", bootId, ...more });
  await remember({ insteadOf: { path: "pci0000:00/0000:00:09.0", name: "enp0s9" } });
  expect(await inspect()).toEqual([
    "eth0 is routable: 2001:db8::17/64; not used: eth1",
    ["notice: the node's network card was replaced: it is eth0 since this boot"],
  ]);
  await remember({ because: "name" });
  expect((await inspect())[1]).toEqual(["notice: eth0 was chosen as the node's network card by its name alone"]);
  await remember({ because: "name", bootId: "an earlier one" });
  expect((await inspect())[1]).toEqual([]);
  await node.run("ip", "link", "del", "eth1");
});

test("a file of someone else in the place of ours is seen", async () => {
  await node.host.writeFile("/run/systemd/network/05-other.network", "[Match]\nName=eth0\n[Network]\nDHCP=no\n", { mode: 0o644 });
  const bussed = ["env", `DBUS_SYSTEM_BUS_ADDRESS=${bus.address}`, "networkctl"] as const;
  await node.run(...bussed, "reload");
  await node.run(...bussed, "reconfigure", "eth0");
  await expect
    .poll(async () => (await inspect())[1], { timeout: 20_000 })
    .toEqual(["wrong: eth0 is not configured by the file that was made for it"]);
});

test("a cable that is pulled is seen", async () => {
  await router.run("ip", "link", "set", "eth0", "down");
  await expect.poll(async () => (await inspect())[1], { timeout: 20_000 }).toEqual(["wrong: eth0 has no carrier"]);
});

test("a machine without a card has nothing to configure, which is wrong", async () => {
  await node.run("ip", "link", "del", "eth0");
  expect((await inspect())[1]).toEqual(["wrong: there is no network interface to configure"]);
});
