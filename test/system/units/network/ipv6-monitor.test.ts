import { afterAll, beforeAll, expect, test } from "vitest";
import { ipv6Addresses, isUsable } from "../../../../src/system/network/network-interfaces.ts";
import { ipv6Monitor } from "../../../../src/units/network/ipv6-monitor.ts";
import { network } from "../../../../src/units/network/network.ts";
import type { FakeSystemd } from "../../../support/fake-systemd.ts";
import { cable, networkLayout, serveSolicitations, startNetworkd, startRouter, writeConf } from "../../../support/networkd.ts";
import { type NetworkNamespace, networkNamespace } from "../../../support/network-namespace.ts";
import { type PrivateBus, privateBus } from "../../../support/private-bus.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine, type TestMachine } from "../../../support/test-machine.ts";

// What the monitor does again and again on a node without an address must change nothing on it: with the real systemd-networkd, the
// real ndptool, and on the same link addresses and routes of someone else. In this order.

let bus: PrivateBus;
let systemd: FakeSystemd;
let node: NetworkNamespace;
let router: NetworkNamespace;
let machine: TestMachine;

beforeAll(async () => {
  bus = await privateBus();
  node = await networkNamespace();
  router = await networkNamespace();
  await cable(node, router);
  systemd = await serveSolicitations(bus, node);
  machine = testMachine(node.host, networkLayout);
  await writeConf(node, "ipv4_address=192.0.2.17/24\nipv4_gateway=192.0.2.1\n");
  await runUnit(network, machine);
  await startNetworkd(node, bus);
  await node.run("sh", "-c", "until ip -4 route | grep -q '^default via 192.0.2.1'; do sleep 0.1; done");
  // As an operator, a VPN or a container engine adds them.
  await node.run("ip", "address", "add", "198.51.100.7/24", "dev", "eth0");
  await node.run("ip", "route", "add", "203.0.113.0/24", "via", "192.0.2.1", "dev", "eth0");
  await node.run("ip", "-6", "route", "add", "2001:db8:99::/64", "dev", "eth0");
  await node.run("sh", "-c", "while ip -6 address show tentative | grep -q .; do sleep 0.1; done");
});

afterAll(async () => {
  await node?.stop();
  await router?.stop();
  await bus?.stop();
});

/** Every event of a link, an address or a route while something runs (ip-monitor(8)). */
async function eventsOf(work: () => Promise<unknown>): Promise<string> {
  const monitor = node.start("sh", ["-c", "exec ip -o monitor link address route >/run/events"]);
  await node.run("sh", "-c", "until test -e /run/events; do sleep 0.05; done; sleep 0.2");
  await work();
  await node.run("sleep", "0.2");
  monitor.kill();
  const events = String(await node.host.readText("/run/events"));
  await node.host.remove("/run/events");
  // What a router advertises by itself, networkd takes up by removing its own route and adding it again, whatever else goes on.
  return events
    .split("\n")
    .filter((line) => !line.includes("proto ra"))
    .join("\n");
}

/** Anything that went, or came again, of what was there. */
const LOST = /Deleted|192\.0\.2|198\.51\.100|203\.0\.113|2001:db8:99:/;

test("without a router it asks for one, and nothing that is on the link changes for a moment", async () => {
  const before = await node.run("ip", "route", "show", "table", "all");
  const events = await eventsOf(async () =>
    expect(runUnit(ipv6Monitor, machine)).rejects.toMatchObject({ problem: { what: "no router advertised a prefix on eth0" } }),
  );
  expect(events).not.toMatch(LOST);
  expect(systemd.jobs).toEqual(["StartUnit guestos-solicit@eth0.service"]);
  expect(await node.run("ip", "route", "show", "table", "all")).toBe(before);
});

test("a router that is there answers: an address that was lost is there again, and nothing else changes", async () => {
  await startRouter(router, "2001:db8:77::/64");
  await expect.poll(async () => runUnit(ipv6Monitor, machine), { timeout: 60_000 }).toBeDefined();
  await node.run("ip", "-6", "address", "flush", "dev", "eth0", "scope", "global");
  const before = systemd.jobs.length;
  const events = await eventsOf(async () => runUnit(ipv6Monitor, machine));
  expect(systemd.jobs.slice(before)).toEqual(["StartUnit guestos-solicit@eth0.service"]);
  expect((await ipv6Addresses(node.host)).filter(isUsable).map(({ address }) => address)).toEqual([expect.stringMatching(/^2001:db8:77:/)]);
  expect(events).not.toMatch(LOST);
  expect(await node.run("ip", "-4", "address")).toContain("198.51.100.7/24");
});

test("where an address is configured there is no one to ask, and that it is missing is said", async () => {
  await writeConf(node, "ipv4_address=192.0.2.17/24\nipv4_gateway=192.0.2.1\nipv6_address=2001:db8::17/64\n");
  const before = systemd.jobs.length;
  const events = await eventsOf(async () =>
    expect(runUnit(ipv6Monitor, machine)).rejects.toMatchObject({
      problem: { what: "eth0 did not get its IPv6 address", expected: "2001:db8::17", todo: expect.stringContaining("--unit network") },
    }),
  );
  expect(events).not.toMatch(LOST);
  expect(systemd.jobs.slice(before)).toEqual([]);
});

test("where IPv6 is off, no one is asked", async () => {
  await node.host.remove("/run/config/network.conf");
  // Of this network namespace alone; the /proc of the machine that runs the test is read-only here (test/support/protect-the-rest.ts).
  const off =
    "mkdir /run/proc && mount -t proc proc /run/proc && echo 1 >/run/proc/sys/net/ipv6/conf/eth0/disable_ipv6 && umount /run/proc";
  await node.run("sh", "-c", off);
  const before = systemd.jobs.length;
  await expect(runUnit(ipv6Monitor, machine)).rejects.toMatchObject({ problem: { what: "IPv6 is disabled on eth0" } });
  expect(systemd.jobs.slice(before)).toEqual([]);
});
