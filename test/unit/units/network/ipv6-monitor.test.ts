import { expect, test } from "vitest";
import { isConflict } from "../../../../src/boot/unit.ts";
import { ipv6Monitor } from "../../../../src/units/network/ipv6-monitor.ts";
import { fakeHost, type FakeHost } from "../../../support/fake-host.ts";
import { testMachine } from "../../../support/test-machine.ts";

/** A node whose primary interface has these lines in /proc/net/if_inet6. */
function node(addresses: readonly string[], { conf = "", carrier = "1", disabled = "0" } = {}): FakeHost {
  const folder = "/sys/class/net/eth0";
  return fakeHost({
    files: {
      [`${folder}/type`]: "1\n",
      [`${folder}/ifindex`]: "2\n",
      [`${folder}/address`]: "52:54:00:12:34:56\n",
      [`${folder}/carrier`]: `${carrier}\n`,
      "/proc/sys/net/ipv6/conf/eth0/disable_ipv6": `${disabled}\n`,
      "/proc/net/if_inet6": `${addresses.join("\n")}\n`,
      "/boot/config/network.conf": conf,
    },
    links: { [`${folder}/device`]: "../../../virtio0" },
  });
}

const LINK_LOCAL = "fe80000000000000505400fffe123456 02 40 20 80 eth0";
const GLOBAL = "20010db8000000000000000000000017 02 40 00 00 eth0";
const TENTATIVE = "20010db8000000000000000000000017 02 40 00 40 eth0";
const DUPLICATE = "20010db8000000000000000000000017 02 40 00 c8 eth0";
const DEPRECATED = "20010db8000000000000000000000017 02 40 00 20 eth0";
const ELSEWHERE = "20010db8000000000000000000000017 03 40 00 00 eth1";
const STATIC = { conf: "ipv6_address=2001:db8:0::0017/64\n" };

async function actions(host: FakeHost): Promise<readonly string[]> {
  const plan = await ipv6Monitor.plan(testMachine(host));
  if (isConflict(plan)) throw new Error(plan.conflict.what);
  return plan.map(({ description }) => description);
}

test("with a usable global address there is nothing to do, and no one is asked", async () => {
  const host = node([LINK_LOCAL, GLOBAL]);
  expect(await actions(host)).toEqual([]);
  expect(host.effects).toEqual([]);
});

test("the configured address is recognised in any spelling", async () => {
  expect(await actions(node([GLOBAL], STATIC))).toEqual([]);
});

test.each([
  ["none", []],
  ["link-local", [LINK_LOCAL]],
  ["tentative", [TENTATIVE]],
  ["deprecated", [DEPRECATED]],
  ["another interface's", [ELSEWHERE]],
])("an address that is %s is not enough", async (_, addresses) => {
  expect(await actions(node(addresses))).toEqual(["wait for an IPv6 address on eth0, and send router solicitations if needed"]);
});

test("where an address is configured, another one is not enough", async () => {
  // Nor is anyone asked for it.
  expect(await actions(node([GLOBAL], { conf: "ipv6_address=2001:db8::18/64\n" }))).toEqual(["wait for 2001:db8::18 on eth0"]);
});

test("a configured address that another node has is a conflict", async () => {
  const plan = await ipv6Monitor.plan(testMachine(node([DUPLICATE], STATIC)));
  expect(isConflict(plan) && plan.conflict.found).toBe("2001:db8::17 failed duplicate address detection");
});

test("a configured link-local address is a conflict: it is never global (RFC 4291, 2.5.6)", async () => {
  const plan = await ipv6Monitor.plan(testMachine(node([LINK_LOCAL, GLOBAL], { conf: "ipv6_address=fe80::5054:ff:fe12:3456/64\n" })));
  expect(isConflict(plan) && plan.conflict.found).toContain("fe80::5054:ff:fe12:3456, a link-local address");
});

test("where IPv6 is disabled on the interface, no one is asked (ip-sysctl: disable_ipv6)", async () => {
  await expect(actions(node([], { disabled: "1" }))).rejects.toMatchObject({
    retryable: true,
    problem: { what: "IPv6 is disabled on eth0", found: "the sysctl net.ipv6.conf.eth0.disable_ipv6 is 1" },
  });
});

test("a missing carrier is named, and worth a short wait", async () => {
  await expect(actions(node([], { carrier: "0" }))).rejects.toMatchObject({ retryable: true, problem: { what: "eth0 has no carrier" } });
});

test("a machine without an interface is told so", async () => {
  await expect(actions(fakeHost())).rejects.toMatchObject({ problem: { what: "there is no IPv6 address" } });
});
