import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { guestosLayout } from "../../../../src/config/layout/layout.ts";
import { network, networkSettings } from "../../../../src/units/network/network.ts";
import { fakeHost, type FakeMachine } from "../../../support/fake-host.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine } from "../../../support/test-machine.ts";

const CONF = "/boot/config/network.conf";
const FILE = `${guestosLayout.networkd}/10-enp1s0.network`;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A node before systemd-networkd starts. */
function node(files: Record<string, string> = {}): FakeMachine {
  const folder = "/sys/class/net/enp1s0";
  return {
    files: { [`${folder}/type`]: "1\n", [`${folder}/ifindex`]: "2\n", [`${folder}/address`]: "52:54:00:12:34:56\n", ...files },
    links: { [`${folder}/device`]: "../../../virtio0" },
  };
}

test("without network.conf the file asks for automatic configuration, and no tool is run for it", async () => {
  const host = fakeHost(node());
  expect(await runUnit(network, testMachine(host))).toEqual([`write ${FILE}: automatic IPv6`]);
  expect(host.files.get(FILE)).toContain("\nIPv6AcceptRA=yes\n");
  expect(host.effects).toEqual([`make ${guestosLayout.networkd}`, `write 644 ${FILE}`]);
});

test("while the chain still runs early, a networkd that has started is not asked: there is no bus yet", async () => {
  const { links, ...rest } = node();
  const host = fakeHost({ ...rest, links: { ...links, "/run/systemd/units/invocation:systemd-networkd.service": "0123456789abcdef" } });
  expect(await runUnit(network, testMachine(host))).toEqual([`write ${FILE}: automatic IPv6`]);
  expect(await runUnit(network, testMachine(host))).toEqual([]);
});

test.each(["dbus.service", "dbus-broker.service"])("with %s, a networkd that no one has started is part of the plan", async (bus) => {
  const { links, ...rest } = node();
  const host = fakeHost({ ...rest, links: { ...links, [`/run/systemd/units/invocation:${bus}`]: "0123456789abcdef" } });
  const actions = await network.plan(testMachine(host));
  expect(actions).toMatchObject([
    { description: `write ${FILE}: automatic IPv6` },
    { description: "start systemd-networkd, which applies it to enp1s0" },
  ]);
});

test("blank keys are automatic configuration too", async () => {
  const host = fakeHost(node({ [CONF]: "ipv6_address=\nipv6_gateway=\nname_servers=\n" }));
  expect(await runUnit(network, testMachine(host))).toEqual([`write ${FILE}: automatic IPv6`]);
});

test("a file that is already right is left alone", async () => {
  const host = fakeHost(node());
  await runUnit(network, testMachine(host));
  host.effects.length = 0;
  expect(await runUnit(network, testMachine(host))).toEqual([]);
  expect(host.effects).toEqual([]);
});

test("a file of the same name that says something else is replaced", async () => {
  const host = fakeHost(node({ [FILE]: "[Match]\nName=*\n" }));
  expect(await runUnit(network, testMachine(host))).toHaveLength(1);
});

test("our files of other interfaces are removed, and those of others are not", async () => {
  const before = fakeHost(node());
  await runUnit(network, testMachine(before));
  const ours = String(before.files.get(FILE));
  const stale = FILE.replace("enp1s0", "eth0");
  const theirs = FILE.replace("enp1s0", "wg0");
  const host = fakeHost(node({ [FILE]: ours, [stale]: ours, [theirs]: "[Match]\nName=wg0\n" }));
  expect(await runUnit(network, testMachine(host))).toEqual([`remove ${stale}, made for another interface`]);
  expect(host.effects).toEqual([`remove ${stale}`]);
});

test("an interface that is not there yet is worth waiting for", async () => {
  await expect(network.plan(testMachine(fakeHost()))).rejects.toMatchObject({
    retryable: true,
    problem: { found: "no Ethernet device in /sys/class/net" },
  });
});

test("a name that udev may still change is not written into a file", async () => {
  const host = fakeHost(node({ "/run/udev/control": "" }));
  await expect(network.plan(testMachine(host))).rejects.toMatchObject({
    retryable: true,
    problem: { found: expect.stringContaining("enp1s0") },
  });
});

const BUSY_UDEV = { "/run/udev/control": "", "/run/udev/queue": "" };

test("an interface to which a busy udev comes after minutes is configured, and a long wait is said once", async () => {
  const machine = testMachine(fakeHost(node(BUSY_UDEV)));
  const done = runUnit(network, machine);
  await vi.advanceTimersByTimeAsync(29_000);
  expect(machine.notes).toEqual([]);
  await vi.advanceTimersByTimeAsync(171_000);
  machine.host.files.set("/run/udev/data/n2", "");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await done).toEqual([`write ${FILE}: automatic IPv6`]);
  expect(machine.notes).toEqual(["waiting for the network interface: udev still works through its events"]);
});

test("once udev has no events left, an interface that is not there is not waited for, but for the unit's retries", async () => {
  const { host } = testMachine(fakeHost({ files: BUSY_UDEV }));
  const failed = network.plan(testMachine(host)).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(30_000);
  await host.remove("/run/udev/queue");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await failed).toMatchObject({ retryable: true, problem: { code: "no-network-interface" } });
});

test("a udev that is never done ends the wait before the unit's time is up, and is named", async () => {
  const failed = network.plan(testMachine(fakeHost(node(BUSY_UDEV)))).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(network.timeout - network.retryFor);
  expect(await failed).toMatchObject({
    retryable: false,
    problem: { code: "no-network-interface", found: expect.stringMatching(/^enp1s0, .*; udev did not get through its events/) },
  });
});

test.each([
  ["ExecStart=/bin/sh", "2:1"],
  ["domain=localhost.localdomain", "2:8"],
  ["ipv4_address=192.0.2.1/24\nipv4_gateway=192.0.2.255", "3:14"],
])("%j: what is right beside it is written, and then the unit is degraded for a part, at each run", async (bad, place) => {
  const host = fakeHost(node({ [CONF]: `ipv6_address=2001:db8::1/64\n${bad}\n` }));
  const told = {
    partial: true,
    retryable: false,
    problem: {
      what: expect.stringContaining("all other settings are in force"),
      where: { file: CONF, line: Number(place.split(":")[0]), column: Number(place.split(":")[1]) },
      todo: "correct it there, then: guestos-boot --unit network",
    },
  };
  await expect(runUnit(network, testMachine(host))).rejects.toMatchObject(told);
  expect(host.files.get(FILE)).toContain("\nAddress=2001:db8::1/64\n");
  for (const word of ["ExecStart", "localhost", "192.0.2.255"]) expect(host.files.get(FILE)).not.toContain(word);
  host.effects.length = 0;
  await expect(runUnit(network, testMachine(host))).rejects.toMatchObject(told);
  expect(host.effects).toEqual([]);
});

test.each([
  ["ipv6_address=2001:db8::2/640", 1],
  ["ipv6_adress=2001:db8::2/64", 1],
  ["ipv6_address=2001:db8::1/64\nipv6_gateway=2001:db8::1", 2],
])("on a node that runs, %j leaves the network as it is, and is an error", async (edited, line) => {
  const host = fakeHost(node({ [CONF]: "ipv6_address=2001:db8::1/64\nipv6_gateway=fe80::1\n" }));
  await runUnit(network, testMachine(host));
  host.files.set(CONF, `${edited}\n`);
  host.effects.length = 0;
  await expect(network.plan(testMachine(host))).rejects.toMatchObject({
    partial: false,
    problem: { what: expect.stringContaining("the network is not changed"), where: { file: CONF, line } },
  });
  expect(host.effects).toEqual([]);
});

test("on a node that runs, an edit with a slip in the domain alone is applied", async () => {
  const host = fakeHost(node({ [CONF]: "ipv6_address=2001:db8::1/64\n" }));
  await runUnit(network, testMachine(host));
  host.files.set(CONF, "ipv6_address=2001:db8::1/64\nipv6_gateway=fe80::1\nname_servers=x 9.9.9.9\ndomain=localhost\n");
  await expect(runUnit(network, testMachine(host))).rejects.toMatchObject({ partial: true });
  expect(host.files.get(FILE)).toMatch(/^DNS=9\.9\.9\.9$[^]*^Gateway=fe80::1$/m);
});

test("a bad host name is the unit hostname's to tell", async () => {
  expect(await runUnit(network, testMachine(fakeHost(node({ [CONF]: "hostname=-\ndomain=example.org\n" }))))).toHaveLength(1);
});

test("a value in another spelling makes the same file", async () => {
  const file = async (conf: string): Promise<string | undefined> => {
    const host = fakeHost(node({ [CONF]: conf }));
    await runUnit(network, testMachine(host));
    return host.files.get(FILE)?.toString();
  };
  const canonical = await file("ipv6_address=2001:db8::1/64\nipv6_gateway=fe80::1\nname_servers=2001:db8::53\ndomain=example.org\n");
  expect(canonical).toContain("\nAddress=2001:db8::1/64\n");
  expect(await file("ipv6_address=2001:DB8:0::1/064\nipv6_gateway=FE80:0::1\nname_servers=2001:db8:0::53\ndomain=Example.org\n")).toBe(
    canonical,
  );
});

test("an address with a gateway outside of its network is written, and the operator is told", async () => {
  const machine = testMachine(fakeHost(node({ [CONF]: "ipv6_address=2001:db8::1/64\nipv6_gateway=2001:db9::1\n" })));
  await runUnit(network, machine);
  expect(machine.notes).toEqual([expect.stringContaining("ipv6_gateway 2001:db9::1")]);
});

test("router advertisements are off where an IPv6 address is given, and stay on where only IPv4 is", () => {
  expect(networkSettings({ ipv6_address: "2001:db8::1/64", name_servers: [] }).acceptRouterAdvertisements).toBe(false);
  expect(networkSettings({ ipv4_address: "192.0.2.1/24", name_servers: [] }).acceptRouterAdvertisements).toBe(true);
});
