import { BlockList, isIPv4, isIPv6 } from "node:net";

export type Family = "ipv4" | "ipv6";

/** @returns a function that asks `make` once, when it is first called: node:net takes a while to load */
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
 * Addresses that no interface of a node and no gateway can have: unspecified, loopback, multicast, broadcast, IPv4-mapped
 * (RFC 6890). One list a family: a BlockList takes an IPv4 address for its IPv4-mapped one.
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

const BITS = { ipv4: 32, ipv6: 128 } as const satisfies Record<Family, number>;

/** An address of one machine. A zone (`%eth0`) is refused: interface names are not the medium's to choose. */
export function isHostAddress(value: string, family: Family): boolean {
  return isAddress(value, family) && !unusable[family]().check(value, family);
}

/** An address of a name server: loopback is fine, a resolver may run on the node. */
export function isServerAddress(value: string): boolean {
  return isHostAddress(value, "ipv4") || isHostAddress(value, "ipv6") || value === "::1" || (isIPv4(value) && value.startsWith("127."));
}

/** `address/prefix-length`. */
export function isInterfaceAddress(value: string, family: Family): boolean {
  const { address, prefixLength } = splitPrefix(value);
  return isHostAddress(address, family) && prefixLength >= 1 && prefixLength <= BITS[family];
}

/** Whether an address lies in the network of `address/prefix-length`. Both must be valid. */
export function isInNetwork(address: string, network: string, family: Family): boolean {
  const { address: base, prefixLength } = splitPrefix(network);
  return blockList(family, [[base, prefixLength]]).check(address, family);
}

/** Whether two addresses are one, however they are written. Both must be valid. */
export function isSameAddress(a: string, b: string, family: Family): boolean {
  return isInNetwork(a, `${b}/${BITS[family]}`, family);
}

/** fe80::/10: every router has one, and it is on the link by definition. */
export function isLinkLocal(address: string): boolean {
  return isInNetwork(address, "fe80::/10", "ipv6");
}

export function splitPrefix(value: string): { readonly address: string; readonly prefixLength: number } {
  const [, address = "", digits = ""] = /^([^/]*)\/(\d{1,3})$/.exec(value) ?? [];
  return { address, prefixLength: digits === "" ? Number.NaN : Number(digits) };
}

function isAddress(value: string, family: Family): boolean {
  return family === "ipv4" ? isIPv4(value) : isIPv6(value) && !value.includes("%");
}
