import { afterAll, beforeAll, expect, test } from "vitest";
import { ipv6Gateways, missedAnswer } from "../../../../src/system/network/neighbour.ts";
import { type NetworkNamespace, networkNamespace } from "../../../support/network-namespace.ts";

let node: NetworkNamespace;
let router: NetworkNamespace;

beforeAll(async () => {
  [node, router] = await Promise.all([networkNamespace(), networkNamespace()]);
  await node.run("ip", "link", "add", "br6", "type", "veth", "peer", "name", "eth0", "netns", String(router.pid));
  for (const [one, name, address] of [
    [router, "eth0", "2001:db8::1"],
    [node, "br6", "2001:db8::2"],
  ] as const) {
    await one.run("ip", "address", "add", `${address}/64`, "dev", name, "nodad");
    await one.run("ip", "link", "set", name, "up");
  }
});
afterAll(async () => Promise.all([node.stop(), router.stop()]));

test("the gateways are those of the default routes over that interface", async () => {
  expect(await ipv6Gateways(node.host, "br6")).toEqual([]);
  await node.run("ip", "-6", "route", "add", "default", "via", "2001:db8::1", "dev", "br6");
  expect(await ipv6Gateways(node.host, "br6")).toEqual(["2001:db8::1"]);
  await expect(ipv6Gateways(node.host, "br7")).rejects.toThrow(/br7/);
});

test("a machine that is there answers, also one that drops ping, and again once it is known", async () => {
  await router.run(
    "nft",
    "add table inet f; add chain inet f i { type filter hook input priority 0; }; add rule inet f i icmpv6 type echo-request drop",
  );
  for (let time = 0; time < 2; time += 1) expect(await missedAnswer(node.host, "br6", "2001:db8::1")).toBeUndefined();
});

test("one that is not there has not answered, nor one that was and is gone", async () => {
  expect(await missedAnswer(node.host, "br6", "2001:db8::77")).toBe("FAILED");
  await router.run("ip", "link", "set", "eth0", "down");
  expect(await missedAnswer(node.host, "br6", "2001:db8::1")).not.toBeUndefined();
});
