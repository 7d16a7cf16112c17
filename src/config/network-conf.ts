import { join } from "node:path";
import { z } from "../base/schema.ts";
import type { Host } from "../system/host.ts";
import { contradiction, parseConf, readConf, word, words } from "./text/conf.ts";
import { isDomain, isHostname } from "./values/host-name.ts";
import { isHostAddress, isInNetwork, isInterfaceAddress, isLinkLocal, isSameAddress, isServerAddress, splitPrefix } from "./values/ip-address.ts";
import type { Layout } from "./layout/layout.ts";

/** network.conf: every key may be absent, and so may the file; what is absent is configured automatically (SLAAC, router advertisements). */
const keys = z.object({
  ipv6_address: word("an IPv6 address with prefix length, as in 2001:db8::17/64", (value) => isInterfaceAddress(value, "ipv6")).optional(),
  ipv6_gateway: word("an IPv6 address, as in 2001:db8::1 or fe80::1", (value) => isHostAddress(value, "ipv6")).optional(),
  ipv4_address: word("an IPv4 address with prefix length, as in 192.0.2.17/24", (value) => isInterfaceAddress(value, "ipv4")).optional(),
  ipv4_gateway: word("an IPv4 address, as in 192.0.2.1", (value) => isHostAddress(value, "ipv4")).optional(),
  name_servers: words("IPv6 or IPv4 addresses, separated by blanks", isServerAddress).default([]),
  hostname: word("a host name of letters, digits, hyphens and dots (RFC 1123), at most 64 characters", isHostname).optional(),
  domain: word("a domain name, as in example.org", isDomain).optional(),
});

export const NetworkConf = keys.superRefine((conf, context) => {
  for (const family of ["ipv6", "ipv4"] as const) {
    const address = conf[`${family}_address`];
    const gateway = conf[`${family}_gateway`];
    if (gateway === undefined) continue;
    if (address === undefined)
      contradiction(
        context,
        `${family}_gateway`,
        `${family}_address beside it, or no gateway: without an address of its own the node cannot reach one`,
      );
    else if (isSameAddress(gateway, splitPrefix(address).address, family))
      contradiction(context, `${family}_gateway`, `another address than ${family}_address, which is the node's own`);
  }
});
export type NetworkConf = z.infer<typeof NetworkConf>;

/** What a medium may not bring, and a node that has it yet keeps: there nobody can correct it, and the other family may work. */
const OnMedium = NetworkConf.superRefine(({ ipv6_address }, context) => {
  if (ipv6_address === undefined || !isLinkLocal(splitPrefix(ipv6_address).address)) return;
  contradiction(
    context,
    "ipv6_address",
    "a global address, as in 2001:db8::17/64: a link-local one (fe80::/10) is reached by nobody beyond the link",
  );
});

/** The same of a medium, where what can be corrected is refused. @throws ProblemError naming every mistake with its place */
export function parseNetworkConfOfMedium(content: Uint8Array, file: string): NetworkConf {
  return parseConf(content, file, OnMedium, Object.keys(keys.shape));
}

/** @throws ProblemError naming every mistake with its place */
export function parseNetworkConf(content: Uint8Array, file: string): NetworkConf {
  return parseConf(content, file, NetworkConf, Object.keys(keys.shape));
}

/**
 * network.conf of this node.
 *
 * @returns an empty one when there is no file: then everything is configured automatically
 * @throws ProblemError naming every mistake with its place
 */
export async function readNetworkConf(host: Host, layout: Layout): Promise<NetworkConf> {
  return (await readConf(host, join(layout.mountPoints.config, "network.conf"), parseNetworkConf)) ?? NetworkConf.parse({});
}

/**
 * What is allowed and will yet not work: said, not refused, because one family's slip must not cost a node the other.
 *
 * @returns one sentence each
 */
export function networkConfWarnings(conf: NetworkConf): readonly string[] {
  const warnings: string[] = [];
  for (const family of ["ipv6", "ipv4"] as const) {
    const address = conf[`${family}_address`];
    const gateway = conf[`${family}_gateway`];
    if (address === undefined) continue;
    if (family === "ipv6" && isLinkLocal(splitPrefix(address).address))
      warnings.push(`ipv6_address ${address} is link-local: nobody beyond the link can reach the node by it`);
    if (gateway === undefined) warnings.push(`${family}_address has no ${family}_gateway: the node reaches its own network alone`);
    // The kernel takes no route by a gateway that is not on the link.
    else if (!isInNetwork(gateway, address, family) && !(family === "ipv6" && isLinkLocal(gateway)))
      warnings.push(`${family}_gateway ${gateway} is outside of ${address}: the kernel will refuse the route`);
  }
  return warnings;
}
