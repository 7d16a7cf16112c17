import { afterEach, beforeEach, expect, test } from "vitest";
import { makeBridge, missingOfBridge } from "../../../../src/system/network/bridge.ts";
import { type NetworkNamespace, networkNamespace } from "../../../support/network-namespace.ts";

let inside: NetworkNamespace;
beforeEach(async () => {
  inside = await networkNamespace();
  for (const name of ["eth0", "eth1"]) await inside.run("ip", "link", "add", name, "type", "veth", "peer", "name", `far-${name}`);
});
afterEach(async () => inside.stop());

const wanted = (card: string) => ({ bridge: "br6", card, mac: "6a:00:01:02:03:04" });
const ports = async (): Promise<readonly string[]> => (await inside.host.list("/sys/class/net/br6/brif")) ?? [];

test("where another card becomes the node's, the one before it leaves the bridge, and the guest's port stays", async () => {
  await makeBridge(inside.host, wanted("eth0"));
  // The guest's.
  await inside.run("ip", "link", "add", "vnet0", "type", "veth", "peer", "name", "far-vnet0");
  await inside.run("ip", "link", "set", "dev", "vnet0", "master", "br6");
  expect(await ports()).toEqual(["eth0", "vnet0"]);
  expect(await missingOfBridge(inside.host, wanted("eth0"))).toEqual([]);
  expect(await missingOfBridge(inside.host, wanted("eth1"))).toContain("eth0 is on it too");
  await makeBridge(inside.host, wanted("eth1"));
  expect(await ports()).toEqual(["eth1", "vnet0"]);
  expect(await missingOfBridge(inside.host, wanted("eth1"))).toEqual([]);
});

test("a second card that was put on it is missing work, and is taken off", async () => {
  await makeBridge(inside.host, wanted("eth0"));
  await inside.run("ip", "link", "set", "dev", "eth1", "master", "br6");
  expect(await missingOfBridge(inside.host, wanted("eth0"))).toEqual(["eth1 is on it too"]);
  await makeBridge(inside.host, wanted("eth0"));
  expect(await ports()).toEqual(["eth0"]);
});
