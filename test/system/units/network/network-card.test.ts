import { afterAll, beforeAll, expect, test } from "vitest";
import { readNodeCard } from "../../../../src/config/state/network-card.ts";
import { networkCard } from "../../../../src/units/network/network-card.ts";
import { primaryInterface } from "../../../../src/units/network/primary-interface.ts";
import { networkLayout, startRouter } from "../../../support/networkd.ts";
import { type NetworkNamespace, networkNamespace } from "../../../support/network-namespace.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine, type TestMachine } from "../../../support/test-machine.ts";

// A node with two cards, and what the kernel shows of their other ends: the real link states, the kernel's own router solicitations, and
// a real router. In this order.

let node: NetworkNamespace;
let nowhere: NetworkNamespace;
let router: NetworkNamespace;
let machine: TestMachine;

beforeAll(async () => {
  [node, nowhere, router] = await Promise.all([networkNamespace(), networkNamespace(), networkNamespace()]);
  await node.host.makeFolder("/run/config", { mode: 0o755 });
  // Down, as the kernel leaves a card that no one has configured.
  await node.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", String(nowhere.pid));
  await node.run("ip", "link", "add", "eth1", "type", "veth", "peer", "name", "eth0", "netns", String(router.pid));
  machine = testMachine(node.host, networkLayout);
});

afterAll(async () => {
  await node?.stop();
  await nowhere?.stop();
  await router?.stop();
});

/** As at a boot without a memory: the decision of the boot before is gone. */
async function forget(): Promise<void> {
  await node.host.remove(networkLayout.config.networkCard);
  await node.host.remove("/run/guestos-boot/network-card.json");
  machine.notes.length = 0;
}

async function remembered(): Promise<unknown> {
  return readNodeCard(node.host, networkLayout.config.networkCard);
}

async function expectDown(): Promise<void> {
  for (const name of ["eth0", "eth1"]) expect(await node.run("ip", "link", "show", "dev", name)).toContain("state DOWN");
  expect(await node.run("ip", "-6", "address", "show", "scope", "global")).toBe("");
  expect(await node.run("ip", "-6", "route", "show", "default")).toBe("");
}

test("where neither has a carrier nothing is remembered, and the first is used", async () => {
  await runUnit(networkCard, machine);
  expect(await remembered()).toBeUndefined();
  expect(machine.notes).toEqual([expect.stringContaining("none has a carrier")]);
  expect((await primaryInterface(node.host, networkLayout))?.name).toBe("eth0");
  await expectDown();
});

test("the one that alone has a carrier is the node's", async () => {
  await forget();
  await router.run("ip", "link", "set", "eth0", "up");
  await runUnit(networkCard, machine);
  expect(await remembered()).toMatchObject({ card: { name: "eth1", path: "pci0000:00/0000:00:02.0" }, because: "carrier" });
  expect((await primaryInterface(node.host, networkLayout))?.name).toBe("eth1");
  await expectDown();
});

test("where both have one and no router answers, the first by name is taken, which is said", async () => {
  await forget();
  await nowhere.run("ip", "link", "set", "eth0", "up");
  await runUnit(networkCard, machine);
  expect(await remembered()).toMatchObject({ card: { name: "eth0" }, because: "name" });
  expect(machine.notes).toEqual([expect.stringContaining("the first by name of several with a carrier")]);
  await expectDown();
});

test("where both have one, the one on which a router answers is the node's, and what the router gave is gone again", async () => {
  await forget();
  await startRouter(router, "2001:db8:77::/64");
  await runUnit(networkCard, machine);
  expect(await remembered()).toMatchObject({ card: { name: "eth1" }, because: "router" });
  expect((await primaryInterface(node.host, networkLayout))?.name).toBe("eth1");
  await expectDown();
  expect(await runUnit(networkCard, machine)).toEqual([]);
});
