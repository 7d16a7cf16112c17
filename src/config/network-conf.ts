import { z } from "../base/schema.ts";
import type { Host } from "../system/host.ts";
import { contradiction, parseConf, readConf, word, words } from "./text/conf.ts";
import { isDomain, isHostname } from "./values/host-name.ts";
import {
  isHostAddress,
  isInNetwork,
  isInterfaceAddress,
  isLinkLocal,
  isSameAddress,
  isServerAddress,
  splitPrefix,
} from "./values/ip-address.ts";
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
  return (await readConf(host, layout.config.injected.network, parseNetworkConf)) ?? NetworkConf.parse({});
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
    if (gateway === undefined) warnings.push(`${family}_address has no ${family}_gateway: the node reaches its own network alone`);
    // The kernel takes no route by a gateway that is not on the link.
    else if (!isInNetwork(gateway, address, family) && !(family === "ipv6" && isLinkLocal(gateway)))
      warnings.push(`${family}_gateway ${gateway} is outside of ${address}: the kernel will refuse the route`);
  }
  return warnings;
}
