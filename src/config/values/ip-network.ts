import { isIPv4, isIPv6 } from "node:net";
import { type Family, splitPrefix } from "./ip-address.ts";

export const BITS = { ipv4: 32, ipv6: 128 } as const satisfies Record<Family, number>;

/** `address/prefix-length`, where no bit behind the prefix is set: what looks like one machine must not let a whole network in. */
export function isNetwork(value: string, family: Family): boolean {
  const { address, prefixLength } = splitPrefix(value);
  const bits = addressBits(address, family);
  // Not even 0: a mask that nothing is compared with lets everybody in.
  if (bits === undefined || !(prefixLength >= 1 && prefixLength <= BITS[family])) return false;
  return BigInt.asUintN(BITS[family] - prefixLength, bits) === 0n;
}

/** An address as a number; `undefined` for none. */
export function addressBits(address: string, family: Family): bigint | undefined {
  return family === "ipv4" ? ipv4Bits(address) : ipv6Bits(address);
}

function ipv4Bits(address: string): bigint | undefined {
  if (!isIPv4(address)) return undefined;
  return address.split(".").reduce((bits, part) => bits * 256n + BigInt(part), 0n);
}

/** RFC 4291, section 2.2. Not with an IPv4 address in it: such a network is better written as what it is. */
function ipv6Bits(address: string): bigint | undefined {
  if (!isIPv6(address) || address.includes(".") || address.includes("%")) return undefined;
  const [head = "", tail] = address.split("::");
  const groups = (text: string): readonly string[] => (text === "" ? [] : text.split(":"));
  const before = groups(head);
  const after = groups(tail ?? "");
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].reduce((bits, group) => bits * 65_536n + BigInt(`0x${group}`), 0n);
}
