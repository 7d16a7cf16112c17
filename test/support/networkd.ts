import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { ChildProcess } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { configFiles, guestosLayout, type Layout } from "../../src/config/layout/layout.ts";
import { withSystemBus, call } from "../../src/system/systemd/dbus.ts";
import { fakeSystemd, type FakeSystemd } from "./fake-systemd.ts";
import { type NetworkNamespace, ended, networkNamespace } from "./network-namespace.ts";
import { type PrivateBus, privateBus } from "./private-bus.ts";
import { testMachine, type TestMachine } from "./test-machine.ts";

const NETWORKD = "/usr/lib/systemd/systemd-networkd";
const RUNNING = ["/run/systemd/units/invocation:dbus.service", "/run/systemd/units/invocation:systemd-networkd.service"];

/** Where a node's configuration is, inside a namespace. */
export const networkLayout: Layout = {
  ...guestosLayout,
  mountPoints: { ...guestosLayout.mountPoints, config: "/run/config" },
  config: configFiles("/run/config"),
};

/** eth0 inside, with a cable to eth0 of the other namespace: where a node's router would be. */
export async function cable(node: NetworkNamespace, router: NetworkNamespace): Promise<void> {
  await node.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", String(router.pid));
  await node.run("ip", "link", "set", "eth0", "up");
  await router.run("ip", "link", "set", "eth0", "up");
}

/** A node, and the router at the other end of its cable. */
export interface CabledNode {
  readonly bus: PrivateBus;
  readonly node: NetworkNamespace;
  readonly router: NetworkNamespace;
  readonly machine: TestMachine;
  /** Of the node's card, eth0. */
  readonly index: number;
  readonly stop: () => Promise<void>;
}

/** Without systemd-networkd. The caller stops it. */
export async function cabledNode(): Promise<CabledNode> {
  const bus = await privateBus();
  const node = await networkNamespace();
  const router = await networkNamespace();
  await cable(node, router);
  const index = Number(await node.host.readText("/sys/class/net/eth0/ifindex"));
  return {
    ...{ bus, node, router, index },
    machine: testMachine(node.host, networkLayout),
    async stop() {
      await node.stop();
      await router.stop();
      await bus.stop();
    },
  };
}

/** Starts the real systemd-networkd and waits until it answers on the bus. */
export async function startNetworkd(node: NetworkNamespace, bus: PrivateBus): Promise<ChildProcess> {
  await node.host.makeFolder("/run/systemd/units", { mode: 0o755 });
  const networkd = node.start(NETWORKD, [], { DBUS_SYSTEM_BUS_ADDRESS: bus.address });
  const limit = Date.now() + 20_000;
  for (;;) {
    try {
      await withSystemBus(node.host, async (open) => call(open, MANAGER_PING));
      break;
    } catch (error) {
      if (Date.now() > limit) throw error;
      await wait(50);
    }
  }
  for (const link of RUNNING) await node.run("ln", "-sf", "0123456789abcdef", link);
  return networkd;
}

export async function stopNetworkd(node: NetworkNamespace, networkd: ChildProcess): Promise<void> {
  await ended(networkd);
  for (const link of RUNNING) await node.host.remove(link);
}

const MANAGER_PING = {
  destination: "org.freedesktop.network1",
  path: "/org/freedesktop/network1",
  interface: "org.freedesktop.network1.Manager",
  member: "ListLinks",
};

/** A router that advertises a prefix on its eth0. Without a bus: no one asks it anything. */
export async function startRouter(router: NetworkNamespace, prefix: string): Promise<ChildProcess> {
  await router.host.makeFolder("/run/systemd/network", { mode: 0o755 });
  const text = `[Match]\nName=eth0\n[Network]\nIPv6AcceptRA=no\nIPv6SendRA=yes\nLinkLocalAddressing=ipv6\n[IPv6SendRA]\nRouterLifetimeSec=1800\n[IPv6Prefix]\nPrefix=${prefix}\n`;
  await router.host.writeFile("/run/systemd/network/10-eth0.network", text, { mode: 0o644 });
  const networkd = router.start(NETWORKD, [], { DBUS_SYSTEM_BUS_ADDRESS: "unix:path=/run/none" });
  await once(networkd, "spawn");
  return networkd;
}

const SOLICIT = new URL("../../etc/common/systemd/system/guestos-solicit@.service", import.meta.url);

/** A systemd on the bus that has one service: with what the real one runs, it asks for routers on the node's interface. */
export async function serveSolicitations(bus: PrivateBus, node: NetworkNamespace, name = "eth0"): Promise<FakeSystemd> {
  const systemd = await fakeSystemd(bus);
  const [, command = ""] = /^ExecStart=(.+)$/m.exec(await readFile(SOLICIT, "utf8")) ?? [];
  const [program = "", ...args] = command.replaceAll("%i", name).split(" ");
  systemd.units.set(`guestos-solicit@${name}.service`, {
    ...{ load: "loaded", active: "inactive", sub: "dead", result: "done", then: { active: "inactive", sub: "dead" } },
    work: async () => node.run(program, ...args),
  });
  return systemd;
}

export async function writeConf(node: NetworkNamespace, text: string): Promise<void> {
  await node.host.makeFolder("/run/config", { mode: 0o755 });
  await node.host.writeFile("/run/config/network.conf", text, { mode: 0o644 });
}
