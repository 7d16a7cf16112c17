import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import { ipv6Groups } from "./ip-network.ts";
import { canonicalIp } from "../../system/network/network-interfaces.ts";

/**
 * The systems of one node, each with an address of its own, and their numbers (dfinity/ic, rs/ic_os/networking/deterministic_ips): the
 * installer, the host, its guest, and the guest that takes over keys during an upgrade.
 */
export const SYSTEM_INDEX = { setup: 0x0f, host: 0x00, default: 0x01, upgrade: 0x02 } as const;

/** The networks whose name is part of the address. */
export type Environment = "mainnet" | "testnet";

/** The MAC address of a system, computed from that of the node's BMC. @param mgmtMac in lower case, with colons */
export function deterministicMac(mgmtMac: string, environment: Environment, index: number): string {
  // The line feed is a part of it: the first program that computed it hashed a line of text.
  const hash = createHash("sha256").update(`${mgmtMac}${environment}\n`).digest();
  return [0x6a, index, ...hash.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/**
 * The address of the machine with that MAC address in a network of 64 bits (RFC 4291, appendix A: modified EUI-64).
 *
 * @param prefix the network's first 64 bits: "2602:ffe4:801:17", or an address in it
 * @returns the address in its canonical form; `undefined` when the prefix is none
 */
export function addressInPrefix(prefix: string, mac: string): string | undefined {
  const base = networkBits(prefix);
  if (base === undefined) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(":").map((byte) => Number.parseInt(byte, 16));
  const identifier = [((a ^ 0x02) << 8) | b, (c << 8) | 0xff, (0xfe << 8) | d, (e << 8) | f];
  return canonicalIp([...base, ...identifier.map((group) => group.toString(16))].join(":"));
}

/** Whether a text names a network of 64 bits, as in config.ini: without the "::" at its end, or with it. */
export function isPrefix(prefix: string): boolean {
  return networkBits(prefix) !== undefined;
}

/** The first four groups of an address. */
function networkBits(prefix: string): readonly string[] | undefined {
  const text = prefix.includes("::") ? prefix : `${prefix}::`;
  if (!isIPv6(text) || /[%.]/.test(text)) return undefined;
  return ipv6Groups(text).slice(0, 4);
}
