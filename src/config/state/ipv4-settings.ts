import type { Host } from "../../system/host.ts";
import type { Layout } from "../layout/layout.ts";
import { isInNetwork, isLinkLocal, readHostAddress, readInterfaceAddress, splitPrefix } from "../values/ip-address.ts";
import { broadcastAddress } from "../values/ip-network.ts";
import * as z from "../../base/schema.ts";
import { readState } from "./state-file.ts";

/** The IPv4 settings that the orchestrator gave this node, in the keys of network.conf. They take the place of the configuration's. */
const Ipv4Settings = z.object({ ipv4_address: z.string(), ipv4_gateway: z.string() });
export type Ipv4Settings = z.infer<typeof Ipv4Settings>;

/** What was asked for, as it was typed. */
export interface AskedIpv4 {
  readonly address: string;
  readonly prefixLength: string;
  readonly gateway: string;
}

/** One value that cannot be used: its name, and what is expected of it. */
export interface UnusableValue {
  readonly name: keyof AskedIpv4;
  readonly expected: string;
}

/** @returns the settings in their canonical form, or the first value that cannot be used */
export function ipv4Settings({ address, prefixLength, gateway }: AskedIpv4): Ipv4Settings | UnusableValue {
  const own = readHostAddress(address, "ipv4");
  if (own === undefined || isLinkLocal(own)) return { name: "address", expected: "an IPv4 address of one machine, as in 192.0.2.17" };
  const network = /^[1-9]\d?$/.test(prefixLength) ? readInterfaceAddress(`${own}/${prefixLength}`, "ipv4") : undefined;
  if (network === undefined) return { name: "prefixLength", expected: "a number from 1 to 32" };
  const router = readHostAddress(gateway, "ipv4");
  if (router === undefined) return { name: "gateway", expected: "an IPv4 address of one machine, as in 192.0.2.1" };
  const isReached = splitPrefix(network).prefixLength === 32 || isInNetwork(router, network, "ipv4");
  if (!isReached || router === own || router === broadcastAddress(network))
    return { name: "gateway", expected: `another machine in the network of ${network}` };
  return { ipv4_address: network, ipv4_gateway: router };
}

/**
 * The settings that were given in this boot. They are lost with it: the orchestrator gives them again.
 *
 * @returns `undefined` where there are none, or the file is not one that this program wrote
 */
export async function readIpv4Settings(host: Host, { runFiles }: Pick<Layout, "runFiles">): Promise<Ipv4Settings | undefined> {
  return readState(host, runFiles.ipv4, Ipv4Settings);
}

/** Keeps the settings for the rest of this boot; `undefined` takes them back. */
export async function writeIpv4Settings(
  host: Host,
  { runFiles }: Pick<Layout, "runFiles">,
  settings: Ipv4Settings | undefined,
): Promise<void> {
  if (settings === undefined) return host.remove(runFiles.ipv4);
  await host.writeFile(runFiles.ipv4, `${JSON.stringify(settings)}\n`, { mode: 0o644 });
}
