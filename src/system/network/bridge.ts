import { join } from "node:path";
import { CommandError } from "../command.ts";
import type { Host } from "../host.ts";
import { OUR_MARK } from "./network-file.ts";
import { isUp } from "./network-interfaces.ts";

/** A bridge with one network card, which has the bridge's own address (MAC). */
export interface BridgeOf {
  readonly bridge: string;
  readonly card: string;
  readonly mac: string;
}

const CLASS = "/sys/class/net";
const SOURCE = "the host's config.json has its address.";

/**
 * The files by which systemd-networkd keeps the bridge as `makeBridge` makes it (systemd.netdev(5), systemd.network(5)), by name.
 *
 * Without the spanning tree protocol and its delay: there is one card, so there can be no loop (`makeBridge` takes any other off), and a
 * guest must not wait half a minute for its network.
 */
export function bridgeFiles({ bridge, card, mac }: BridgeOf): ReadonlyMap<string, string> {
  const text = (...lines: readonly string[]): string => `${[`${OUR_MARK} ${SOURCE}`, ...lines].join("\n")}\n`;
  const link = ["[Link]", `MACAddress=${mac}`, "RequiredForOnline=no"];
  return new Map([
    [
      `20-${bridge}.netdev`,
      text("[NetDev]", `Name=${bridge}`, "Kind=bridge", `MACAddress=${mac}`, "", "[Bridge]", "ForwardDelaySec=0", "STP=no"),
    ],
    [
      `20-${card}.network`,
      text(
        "[Match]",
        `Name=${card}`,
        "",
        ...link,
        "",
        "[Network]",
        `Bridge=${bridge}`,
        "LLDP=yes",
        "EmitLLDP=yes",
        "LinkLocalAddressing=no",
      ),
    ],
  ]);
}

/** What the kernel lacks of it, in words; nothing when all is as wanted. */
export async function missingOfBridge(host: Host, { bridge, card, mac }: BridgeOf): Promise<readonly string[]> {
  const address = async (name: string): Promise<string | undefined> => (await host.readText(join(CLASS, name, "address")))?.trim();
  const isBridge = (await host.list(join(CLASS, bridge, "bridge"))) !== undefined;
  const master = (await host.readLink(join(CLASS, card, "master")))?.split("/").at(-1);
  const [ofBridge, ofCard] = [await address(bridge), await address(card)];
  return [
    ...(isBridge ? [] : [`${bridge} is ${ofBridge === undefined ? "not there" : "no bridge"}`]),
    ...(isBridge && ofBridge !== mac ? [`${bridge} has the address ${ofBridge}`] : []),
    ...(ofCard === mac ? [] : [`${card} has the address ${ofCard}`]),
    ...(master === bridge ? [] : [`${card} is ${master === undefined ? "not on it" : `on ${master}`}`]),
    ...((await isUp(host, card)) ? [] : [`${card} is down`]),
    ...(await otherCards(host, bridge, card)).map((other) => `${other} is on it too`),
  ];
}

/** Network cards among the ports of the bridge, besides the one that is wanted. The guest's own port has no device of this machine. */
async function otherCards(host: Host, bridge: string, card: string): Promise<readonly string[]> {
  const others: string[] = [];
  for (const port of (await host.list(join(CLASS, bridge, "brif"))) ?? [])
    if (port !== card && (await host.readLink(join(CLASS, port, "device"))) !== undefined) others.push(port);
  return others;
}

/**
 * Makes what is missing. An existing bridge keeps its other ports, among them the guest's, but for another card: two cards on one network
 * are a loop. It is taken off before the wanted one is put on.
 *
 * @throws CommandError, retryable where iproute2 or the kernel has refused: udev, networkd and libvirt may work on the same links, and the
 *   next try does what is then missing
 */
export async function makeBridge(host: Host, { bridge, card, mac }: BridgeOf): Promise<void> {
  const ip = async (...args: readonly string[]): Promise<void> => {
    try {
      await host.run({ program: "ip", args: ["link", ...args] });
    } catch (error) {
      if (error instanceof CommandError && error.ending.kind === "exited") throw error.asRetryable();
      throw error;
    }
  };
  if ((await host.list(join(CLASS, bridge))) === undefined)
    await ip("add", "name", bridge, "address", mac, "type", "bridge", "stp_state", "0", "forward_delay", "0");
  else await ip("set", "dev", bridge, "address", mac);
  for (const other of await otherCards(host, bridge, card)) await ip("set", "dev", other, "nomaster");
  // A card does not take another address while it is up.
  await ip("set", "dev", card, "down");
  await ip("set", "dev", card, "address", mac, "master", bridge);
  await ip("set", "dev", card, "up");
}
