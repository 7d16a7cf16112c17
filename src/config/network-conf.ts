import * as z from "../base/schema.ts";
import { asItStands, type ConfFile, type ConfFinding, scanConf, word, words } from "./text/conf.ts";
import { findingText, refuseFindings } from "../base/finding.ts";
import { isHostname, isLocalhost, readDomain } from "./values/host-name.ts";
import {
  type Family,
  isInNetwork,
  isLinkLocal,
  isSingleAddress,
  readHostAddress,
  readInterfaceAddress,
  readServerAddress,
  splitPrefix,
} from "./values/ip-address.ts";
import { broadcastAddress, readNetwork } from "./values/ip-network.ts";

/**
 * network.conf: every key may be absent, and so may the file. Absent settings are configured automatically (SLAAC, router advertisements).
 * Addresses, lengths and the domain are in their canonical form.
 */
export const NetworkConf = z.object({
  ipv6_address: z.optional(
    word("an IPv6 address with prefix length, as in 2001:db8::17/64", (value) => readInterfaceAddress(value, "ipv6")),
  ),
  ipv6_gateway: z.optional(word("an IPv6 address, as in 2001:db8::1 or fe80::1", (value) => readHostAddress(value, "ipv6"))),
  ipv4_address: z.optional(word("an IPv4 address with prefix length, as in 192.0.2.17/24", (value) => readInterfaceAddress(value, "ipv4"))),
  ipv4_gateway: z.optional(word("an IPv4 address, as in 192.0.2.1", (value) => readHostAddress(value, "ipv4"))),
  name_servers: z._default(words("IPv6 or IPv4 addresses, separated by blanks", readServerAddress), []),
  hostname: z.optional(word("a host name of letters, digits, hyphens and dots (RFC 1123), at most 64 characters", asItStands(isHostname))),
  domain: z.optional(word("a domain name, as in example.org", readDomain)),
});
export type NetworkConf = z.infer<typeof NetworkConf>;

const FAMILIES = ["ipv6", "ipv4"] as const satisfies readonly Family[];

/** The result of reading a network.conf, or the network settings of config.json. */
export interface NetworkConfFile {
  /** The path of the file, for messages. */
  readonly file: string;
  /** The host hands it over at each start, so it cannot be corrected on the node. */
  readonly isFromHost: boolean;
  /** The usable settings. An unusable one counts as absent, and so does a gateway whose address is absent. */
  readonly conf: NetworkConf;
  /** Values and lines that no such file can have. */
  readonly malformed: readonly ConfFinding[];
  /** Settings that work on the link only. A node that already has one keeps it, but no medium may bring it. */
  readonly local: readonly ConfFinding[];
  /**
   * Well-formed values that systemd-networkd or the kernel would refuse. Without this check, the node would wait for each of them without
   * success.
   */
  readonly unusable: readonly ConfFinding[];
  /** Settings that are used, but perhaps do not have the intended effect: one sentence each. */
  readonly warnings: readonly string[];
}

/** @throws ProblemError when the file is too long */
export function scanNetworkConf(content: Uint8Array, file: string): NetworkConfFile {
  return { file, isFromHost: false, ...judged(scanConf(content, file, NetworkConf, Object.keys(NetworkConf.shape))) };
}

/** The settings that networkd and the kernel will take, and what is wrong with the others. */
export function judged(scanned: ConfFile<NetworkConf>): Omit<NetworkConfFile, "file" | "isFromHost"> {
  const conf = { ...scanned.conf };
  const unusable = FAMILIES.flatMap((family) => dropUnusable(conf, family, scanned));
  if (conf.domain !== undefined && isLocalhost(conf.domain)) {
    // systemd.network(5), Domains=; src/network/networkd-network.c, config_parse_domains.
    unusable.push(scanned.finding("domain", "the domain of a network: localhost, and what is below it, is this machine itself"));
    delete conf.domain;
  }
  return { conf, malformed: scanned.findings, local: localAddress(conf, scanned), unusable, warnings: warningsOf(conf) };
}

/** Removes the refused settings of one family from a configuration. The other family is not touched. */
function dropUnusable(conf: NetworkConf, family: Family, { findings, finding }: ConfFile<NetworkConf>): ConfFinding[] {
  const [addressKey, gatewayKey] = [`${family}_address`, `${family}_gateway`] as const;
  const { [addressKey]: address, [gatewayKey]: gateway } = conf;
  // RFC 3927, 1.6: never configured by hand. networkd first probes for other owners, and systemd 252 aborts when it gets further settings
  // meanwhile.
  if (family === "ipv4" && address !== undefined && isLinkLocal(splitPrefix(address).address)) {
    delete conf[addressKey];
    delete conf[gatewayKey];
    return [finding(addressKey, BEYOND_THE_LINK)];
  }
  if (gateway === undefined) return [];
  const expected = unusableGateway(gateway, address, addressKey);
  if (expected === undefined) return [];
  delete conf[gatewayKey];
  // The address is missing because it is malformed: one mistake, not two.
  return findings.some(({ key }) => key === addressKey) ? [] : [finding(gatewayKey, expected)];
}

const BEYOND_THE_LINK = "an address that is valid beyond the link";

/** A router forwards no packet of such an address (RFC 4291, 2.5.6). */
function localAddress({ ipv6_address }: NetworkConf, { finding }: ConfFile<NetworkConf>): readonly ConfFinding[] {
  if (ipv6_address === undefined || !isLinkLocal(splitPrefix(ipv6_address).address)) return [];
  return [finding("ipv6_address", BEYOND_THE_LINK)];
}

/** The expected value in place of a gateway for which the kernel refuses a route; `undefined` for a good one. */
function unusableGateway(gateway: string, address: string | undefined, addressKey: string): string | undefined {
  if (address === undefined) return `${addressKey} beside it, or no gateway: without an address of its own the node cannot reach one`;
  if (gateway === splitPrefix(address).address) return `another address than ${addressKey}, which is the node's own`;
  if (gateway === broadcastAddress(address)) return `one machine: this is the address of all in the network of ${address} (RFC 919)`;
  return undefined;
}

function warningsOf(conf: NetworkConf): readonly string[] {
  const warnings: string[] = [];
  for (const family of FAMILIES) {
    const address = conf[`${family}_address`];
    const gateway = conf[`${family}_gateway`];
    if (address === undefined) continue;
    const own = splitPrefix(address).address;
    if (isLinkLocal(own))
      warnings.push(`${family}_address ${address} is link-local: the node cannot be reached at it from outside the link`);
    if (own === broadcastAddress(address))
      warnings.push(`${family}_address ${address} is the address of all in its network (RFC 919): others will not answer it`);
    if (readNetwork(address, family) !== undefined && isShared(address, family))
      warnings.push(`${family}_address ${address} is the address of its network, not of a machine in it (RFC 1122, RFC 4291)`);
    if (gateway === undefined) warnings.push(`${family}_address has no ${family}_gateway: the node reaches its own network alone`);
    // A single address has no network that a gateway could be in: the gateway can only be on the link.
    else if (!isInNetwork(gateway, address, family) && !isSingleAddress(address, family) && !isLinkLocal(gateway))
      warnings.push(`${family}_gateway ${gateway} is outside of ${address}: it is taken to be on the same link`);
    else if (family === "ipv4" && isShared(address, family) && readNetwork(`${gateway}/${splitPrefix(address).prefixLength}`, family))
      warnings.push(
        `ipv4_gateway ${gateway} is the address of its network, not of a machine in it (RFC 1122): Linux before 5.14 refuses it`,
      );
  }
  return warnings;
}

/** Whether a network has an address of its own. A network of two machines (RFC 3021, RFC 6164), or of one, has none. */
function isShared(network: string, family: Family): boolean {
  return splitPrefix(network).prefixLength <= (family === "ipv4" ? 30 : 126);
}

/** For a caller who can correct the file where it is made. @throws ProblemError naming every mistake with its place */
export function parseNetworkConf(content: Uint8Array, file: string): NetworkConf {
  const { conf, malformed, local, unusable } = scanNetworkConf(content, file);
  refuseFindings(file, [...malformed, ...local, ...unusable]);
  return conf;
}

/**
 * For a node that takes in the file from a medium: it stores nothing malformed, and no address at which it cannot be reached.
 *
 * @returns the settings that it will leave out, and those that may not work
 * @throws ProblemError naming each of these with its place
 */
export function checkNetworkConf(content: Uint8Array, file: string): readonly string[] {
  const { malformed, local, unusable, warnings } = scanNetworkConf(content, file);
  refuseFindings(file, [...malformed, ...local]);
  return [...unusable.map(findingText), ...warnings];
}
