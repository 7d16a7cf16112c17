import { isIPv4, isIPv6 } from "node:net";
import { canonicalIp } from "../../system/network/network-interfaces.ts";
import { BITS, type Family, splitPrefix } from "./ip-address.ts";

/**
 * `address/prefix-length` without bits behind the prefix: an entry that looks like one machine must not let a whole network in.
 *
 * @returns the canonical form; `undefined` when it is not valid
 */
export function readNetwork(value: string, family: Family): string | undefined {
  const { address, prefixLength } = splitPrefix(value);
  const bits = addressBits(address, family);
  // Not even 0: a mask that compares no bits lets everyone in.
  if (bits === undefined || !(prefixLength >= 1 && prefixLength <= BITS[family])) return undefined;
  return BigInt.asUintN(BITS[family] - prefixLength, bits) === 0n ? `${canonicalIp(address)}/${prefixLength}` : undefined;
}

/** The broadcast address of an IPv4 network (RFC 919, section 7). `undefined` where there is none: in a /31 (RFC 3021) and a /32. */
export function broadcastAddress(network: string): string | undefined {
  const { address, prefixLength } = splitPrefix(network);
  const bits = ipv4Bits(address);
  if (bits === undefined || !(prefixLength <= 30)) return undefined;
  const highest = bits | (2n ** BigInt(32 - prefixLength) - 1n);
  return [24n, 16n, 8n, 0n].map((shift) => BigInt.asUintN(8, highest >> shift)).join(".");
}

/** An address as a number; `undefined` when it is not valid. */
export function addressBits(address: string, family: Family): bigint | undefined {
  return family === "ipv4" ? ipv4Bits(address) : ipv6Bits(address);
}

function ipv4Bits(address: string): bigint | undefined {
  if (!isIPv4(address)) return undefined;
  return address.split(".").reduce((bits, part) => bits * 256n + BigInt(part), 0n);
}

/** RFC 4291, section 2.2. Without an embedded IPv4 address: such a network is better written as an IPv4 network. */
function ipv6Bits(address: string): bigint | undefined {
  if (!isIPv6(address) || address.includes(".") || address.includes("%")) return undefined;
  return ipv6Groups(address).reduce((bits, group) => bits * 65_536n + BigInt(`0x${group}`), 0n);
}

/** The eight groups of a valid address without an embedded IPv4 address, each in hexadecimal digits. */
export function ipv6Groups(address: string): readonly string[] {
  const [before = [], after = []] = address.split("::").map((part) => (part === "" ? [] : part.split(":")));
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => "0"), ...after];
}
