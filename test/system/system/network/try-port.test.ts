import { afterAll, beforeAll, expect, test } from "vitest";
import { networkInterfaces } from "../../../../src/system/network/network-interfaces.ts";
import { type GatewayQuestion, type TriedPort, tryPort } from "../../../../src/system/network/try-port.ts";
import { type NetworkNamespace, networkNamespace } from "../../../support/network-namespace.ts";

// A machine with three ports that are down, as the kernel leaves them: at eth0 nothing, at eth1 a network without the gateway, at eth2 it is.

const ADDRESS = "2001:db8:1:2:680f:ff:feec:bd51";
const GATEWAY = "2001:db8:1:2::1";
let node: NetworkNamespace;
let nowhere: NetworkNamespace;
let wrong: NetworkNamespace;
let right: NetworkNamespace;

beforeAll(async () => {
  [node, nowhere, wrong, right] = await Promise.all([networkNamespace(), networkNamespace(), networkNamespace(), networkNamespace()]);
  for (const [at, other] of [nowhere, wrong, right].entries())
    await node.run("ip", "link", "add", `eth${at}`, "type", "veth", "peer", "name", "eth0", "netns", String(other.pid));
  for (const other of [wrong, right]) await other.run("ip", "link", "set", "eth0", "up");
  await right.run("ip", "-6", "address", "add", `${GATEWAY}/64`, "dev", "eth0", "nodad");
});
afterAll(async () => {
  await Promise.all([node, nowhere, wrong, right].map(async (each) => each?.stop()));
});

async function tried(name: string, ipv4?: GatewayQuestion["ipv4"]): Promise<TriedPort> {
  const port = (await networkInterfaces(node.host)).find((one) => one.name === name);
  if (port === undefined) throw new Error(`no ${name}`);
  return tryPort(node.host, port, { address: ADDRESS, gateway: GATEWAY, ipv4 });
}

/** What the namespace has of links, addresses and routes. */
async function network(): Promise<string> {
  const parts = await Promise.all([
    node.run("ip", "-oneline", "link"),
    node.run("ip", "-6", "address", "show", "scope", "global"),
    node.run("ip", "-6", "route"),
    node.run("ip", "-4", "address", "show", "scope", "global"),
  ]);
  return parts.join("\n").replaceAll(/(?:state|qlen|qdisc) \S+/g, "");
}

test("the port on whose network the gateway is, is found; and all is as it was", async () => {
  const before = await network();
  expect(await tried("eth2")).toEqual({ answer: "answered", speed: 10_000 });
  expect(await network()).toBe(before);
});

test("where no one is at the other end there is no link, and where another gateway is, it is silent: after a wait", async () => {
  const before = await network();
  // Beside them, a port on which that of IPv6 alone answers: all three are waited for.
  const ipv4 = { address: "192.0.2.17", prefixLength: 24, gateway: "192.0.2.2" };
  expect(await Promise.all([tried("eth0"), tried("eth1"), tried("eth2", ipv4)])).toEqual([
    { answer: "no link", speed: undefined },
    { answer: "silent", speed: 10_000 },
    { answer: "answered", ipv4: "silent", speed: 10_000 },
  ]);
  expect(await network()).toBe(before);
});

test("an address that another machine has is in use, and is not asked with", async () => {
  const before = await network();
  await right.run("ip", "-6", "address", "add", `${ADDRESS}/64`, "dev", "eth0", "nodad");
  expect(await tried("eth2")).toMatchObject({ answer: "address in use" });
  await right.run("ip", "-6", "address", "del", `${ADDRESS}/64`, "dev", "eth0");
  expect(await network()).toBe(before);
});

test("a port that is up stays up, with the addresses that it has", async () => {
  await node.run("ip", "link", "set", "eth2", "up");
  await node.run("ip", "-6", "address", "add", "2001:db8:1:2::77/64", "dev", "eth2", "nodad");
  const before = await network();
  expect(await tried("eth2")).toMatchObject({ answer: "answered" });
  expect(await network()).toBe(before);
});

test("the gateway of IPv4 is asked where that of IPv6 has answered; and all is as it was", async () => {
  const before = await network();
  await right.run("ip", "-4", "address", "add", "192.0.2.1/24", "dev", "eth0");
  const own = { address: "192.0.2.17", prefixLength: 24, gateway: "192.0.2.1" };
  expect(await tried("eth2", own)).toEqual({ answer: "answered", ipv4: "answered", speed: 10_000 });
  expect(await network()).toBe(before);
});

test("an address of IPv4 that the port has already stays", async () => {
  const own = { address: "192.0.2.17", prefixLength: 24, gateway: "192.0.2.1" };
  await node.run("ip", "link", "set", "eth2", "up");
  await node.run("ip", "-4", "address", "add", "192.0.2.17/24", "dev", "eth2");
  const before = await network();
  expect(await tried("eth2", own)).toMatchObject({ ipv4: "answered" });
  expect(await network()).toBe(before);
});
