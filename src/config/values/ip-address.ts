import { BlockList, isIPv4, isIPv6 } from "node:net";
import { canonicalIp } from "../../system/network/network-interfaces.ts";

export type Family = "ipv4" | "ipv6";

/** @returns a function that calls `make` once, when it is first called: node:net takes a while to load */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

function blockList(family: Family, subnets: readonly (readonly [address: string, prefixLength: number])[]): BlockList {
  const list = new BlockList();
  for (const [address, prefixLength] of subnets) list.addSubnet(address, prefixLength, family);
  return list;
}

/**
 * Addresses that no interface of a node and no gateway can have: unspecified, loopback, multicast, broadcast, IPv4-mapped (RFC 6890). One
 * list for each family: a BlockList treats an IPv4 address as its IPv4-mapped one.
 */
const unusable = {
  ipv4: once(() =>
    blockList("ipv4", [
      ["0.0.0.0", 8],
      ["127.0.0.0", 8],
      ["224.0.0.0", 3],
    ]),
  ),
  ipv6: once(() =>
    blockList("ipv6", [
      ["::", 127],
      ["::ffff:0:0", 96],
      ["ff00::", 8],
    ]),
  ),
} as const satisfies Record<Family, () => BlockList>;

export const BITS = { ipv4: 32, ipv6: 128 } as const satisfies Record<Family, number>;

/**
 * An address of one machine, in its canonical form (RFC 5952). A zone (`%eth0`) is refused: the medium must not choose interface names.
 *
 * @returns `undefined` when it is not one
 */
export function readHostAddress(value: string, family: Family): string | undefined {
  return isAddress(value, family) && !unusable[family]().check(value, family) ? canonicalIp(value) : undefined;
}

/** As `readHostAddress`, for a name server. Loopback is allowed, because a resolver may run on the node. */
export function readServerAddress(value: string): string | undefined {
  const isLoopback = isIPv4(value) ? value.startsWith("127.") : isAddress(value, "ipv6") && canonicalIp(value) === "::1";
  return isLoopback ? canonicalIp(value) : (readHostAddress(value, "ipv4") ?? readHostAddress(value, "ipv6"));
}

/**
 * `address/prefix-length`, the length in decimal without leading zeros: networkd reads 064 as an octal number, and so as 52 (strtoul(3)
 * with base 0).
 *
 * @returns `undefined` when it is not valid
 */
export function readInterfaceAddress(value: string, family: Family): string | undefined {
  const { address, prefixLength } = splitPrefix(value);
  const host = readHostAddress(address, family);
  return host !== undefined && prefixLength >= 1 && prefixLength <= BITS[family] ? `${host}/${prefixLength}` : undefined;
}

/** Whether an address is in the network of `address/prefix-length`. Both must be valid. */
export function isInNetwork(address: string, network: string, family: Family): boolean {
  const { address: base, prefixLength } = splitPrefix(network);
  return blockList(family, [[base, prefixLength]]).check(address, family);
}

/** Whether a valid address is on the link by definition, and valid only there (RFC 4291, 2.5.6; RFC 3927). */
export function isLinkLocal(address: string): boolean {
  return isIPv6(address) ? isInNetwork(address, "fe80::/10", "ipv6") : isInNetwork(address, "169.254.0.0/16", "ipv4");
}

/** Whether a network consists of a single address. */
export function isSingleAddress(network: string, family: Family): boolean {
  return splitPrefix(network).prefixLength === BITS[family];
}

export function splitPrefix(value: string): { readonly address: string; readonly prefixLength: number } {
  const [, address = "", digits = ""] = /^([^/]*)\/(\d{1,3})$/.exec(value) ?? [];
  return { address, prefixLength: digits === "" ? Number.NaN : Number(digits) };
}

function isAddress(value: string, family: Family): boolean {
  return family === "ipv4" ? isIPv4(value) : isIPv6(value) && !value.includes("%");
}
