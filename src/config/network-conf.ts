import { z } from "../base/schema.ts";
import type { Host } from "../system/host.ts";
import { asItStands, type ConfFile, type ConfFinding, readConf, scanConf, word, words } from "./text/conf.ts";
import { refuseFindings } from "../base/finding.ts";
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
import type { Layout } from "./layout/layout.ts";

/**
 * network.conf: every key may be absent, and so may the file; what is absent is configured automatically (SLAAC, router
 * advertisements). Addresses, lengths and the domain in their one spelling.
 */
const NetworkConf = z.object({
  ipv6_address: word("an IPv6 address with prefix length, as in 2001:db8::17/64", (value) =>
    readInterfaceAddress(value, "ipv6"),
  ).optional(),
  ipv6_gateway: word("an IPv6 address, as in 2001:db8::1 or fe80::1", (value) => readHostAddress(value, "ipv6")).optional(),
  ipv4_address: word("an IPv4 address with prefix length, as in 192.0.2.17/24", (value) => readInterfaceAddress(value, "ipv4")).optional(),
  ipv4_gateway: word("an IPv4 address, as in 192.0.2.1", (value) => readHostAddress(value, "ipv4")).optional(),
  name_servers: words("IPv6 or IPv4 addresses, separated by blanks", readServerAddress).default([]),
  hostname: word("a host name of letters, digits, hyphens and dots (RFC 1123), at most 64 characters", asItStands(isHostname)).optional(),
  domain: word("a domain name, as in example.org", readDomain).optional(),
});
export type NetworkConf = z.infer<typeof NetworkConf>;

const FAMILIES = ["ipv6", "ipv4"] as const satisfies readonly Family[];

/** All that there is to say of a network.conf. */
export interface NetworkConfFile {
  /** What can be used. What cannot counts as absent, and so does a gateway whose address is absent. */
  readonly conf: NetworkConf;
  /** What no value, or no line, of such a file can be. */
  readonly malformed: readonly ConfFinding[];
  /** What works as far as the link reaches, so that a node which has it keeps it: no medium may bring it. */
  readonly local: readonly ConfFinding[];
  /** Good values that systemd-networkd or the kernel would refuse: without a check, each of them is waited for in vain. */
  readonly unusable: readonly ConfFinding[];
  /** What is used, and will perhaps not do what was meant: one sentence each. */
  readonly warnings: readonly string[];
}

/** @throws ProblemError when the file is too long */
export function scanNetworkConf(content: Uint8Array, file: string): NetworkConfFile {
  const scanned = scanConf(content, file, NetworkConf, Object.keys(NetworkConf.shape));
  const conf = { ...scanned.conf };
  const unusable = FAMILIES.flatMap((family) => dropUnusable(conf, family, scanned));
  if (conf.domain !== undefined && isLocalhost(conf.domain)) {
    // systemd.network(5), Domains=; src/network/networkd-network.c, config_parse_domains.
    unusable.push(scanned.finding("domain", "the domain of a network: localhost, and what is below it, is this machine itself"));
    delete conf.domain;
  }
  return { conf, malformed: scanned.findings, local: localAddress(conf, scanned), unusable, warnings: warningsOf(conf) };
}

/** Takes out of a configuration what of one family is refused. The other family is not touched. */
function dropUnusable(conf: NetworkConf, family: Family, { findings, finding }: ConfFile<NetworkConf>): ConfFinding[] {
  const [addressKey, gatewayKey] = [`${family}_address`, `${family}_gateway`] as const;
  const { [addressKey]: address, [gatewayKey]: gateway } = conf;
  // RFC 3927, 1.6: never given by hand. networkd looks for others that have it first, and systemd 252 aborts when it is told more meanwhile.
  if (family === "ipv4" && address !== undefined && isLinkLocal(splitPrefix(address).address)) {
    delete conf[addressKey];
    delete conf[gatewayKey];
    return [finding(addressKey, BEYOND_THE_LINK)];
  }
  if (gateway === undefined) return [];
  const expected = unusableGateway(gateway, address, addressKey);
  if (expected === undefined) return [];
  delete conf[gatewayKey];
  // Without its address because that is malformed: one mistake, and not two.
  return findings.some(({ key }) => key === addressKey) ? [] : [finding(gatewayKey, expected)];
}

const BEYOND_THE_LINK = "an address that counts beyond the link";

/** A router forwards nothing to such an address (RFC 4291, 2.5.6). */
function localAddress({ ipv6_address }: NetworkConf, { finding }: ConfFile<NetworkConf>): readonly ConfFinding[] {
  if (ipv6_address === undefined || !isLinkLocal(splitPrefix(ipv6_address).address)) return [];
  return [finding("ipv6_address", BEYOND_THE_LINK)];
}

/** What is expected in the place of a gateway that the kernel takes no route by; `undefined` for a good one. */
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
    if (isLinkLocal(own)) warnings.push(`${family}_address ${address} is link-local: no one beyond the link can reach the node by it`);
    if (own === broadcastAddress(address))
      warnings.push(`${family}_address ${address} is the address of all in its network (RFC 919): others will not answer it`);
    if (readNetwork(address, family) !== undefined && isShared(address, family))
      warnings.push(`${family}_address ${address} is the address of its network, not of a machine in it (RFC 1122, RFC 4291)`);
    if (gateway === undefined) warnings.push(`${family}_address has no ${family}_gateway: the node reaches its own network alone`);
    // One address alone has no network that a gateway could be in: it can only mean one on the link.
    else if (!isInNetwork(gateway, address, family) && !isSingleAddress(address, family) && !isLinkLocal(gateway))
      warnings.push(`${family}_gateway ${gateway} is outside of ${address}: it is taken to be on the same link`);
    else if (family === "ipv4" && isShared(address, family) && readNetwork(`${gateway}/${splitPrefix(address).prefixLength}`, family))
      warnings.push(
        `ipv4_gateway ${gateway} is the address of its network, not of a machine in it (RFC 1122): Linux before 5.14 refuses it`,
      );
  }
  return warnings;
}

/** Whether a network has an address of its own: one of two machines (RFC 3021, RFC 6164), or of one, has none. */
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
 * For a node that takes it in from a medium: nothing malformed is stored, and no address by which it cannot be reached.
 *
 * @returns what it will leave out, and what may not work
 * @throws ProblemError naming each of these with its place
 */
export function checkNetworkConf(content: Uint8Array, file: string): readonly string[] {
  const { malformed, local, unusable, warnings } = scanNetworkConf(content, file);
  refuseFindings(file, [...malformed, ...local]);
  return [
    ...unusable.map(
      ({ line, column, what, found, expected }) =>
        `line ${line}, column ${column}: ${what}, and is left out: found ${found}, expected ${expected}`,
    ),
    ...warnings,
  ];
}

/**
 * What can be used of this node's network.conf, where no one can correct it. What cannot be used, the units network and hostname tell.
 *
 * @returns an empty one when there is no file: then everything is configured automatically
 * @throws ProblemError when it is too long
 */
export async function readNetworkConf(host: Host, layout: Layout): Promise<NetworkConf> {
  return (await readNetworkConfFile(host, layout)).conf;
}

/** The same, with all that there is to say of it. @throws ProblemError when it is too long */
export async function readNetworkConfFile(host: Host, layout: Layout): Promise<NetworkConfFile> {
  const nothing = { conf: NetworkConf.parse({}), malformed: [], local: [], unusable: [], warnings: [] };
  return (await readConf(host, networkConfPath(layout), scanNetworkConf)) ?? nothing;
}

export function networkConfPath({ config }: Pick<Layout, "config">): string {
  return config.injected.network;
}
