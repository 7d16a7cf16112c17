import { isIPv4, isIPv6 } from "node:net";
import { canonicalIp } from "../../system/network/network-interfaces.ts";

/** A label of RFC 1123, section 2.1: letters, digits and hyphens, neither first nor last a hyphen, at most 63. */
const LABEL = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** The kernel's limit for its host name (HOST_NAME_MAX, gethostname(2)); it refuses longer ones. */
const LONGEST_HOSTNAME = 64;
/** RFC 1035, section 2.3.4, as text without the root's dot. */
const LONGEST_DOMAIN = 253;

export function isHostname(value: string): boolean {
  return value.length <= LONGEST_HOSTNAME && isDomain(value);
}

/** A domain name. A name that reads as an IPv4 address is not one (RFC 1123, section 2.1). */
function isDomain(value: string): boolean {
  // Two or more purely numeric labels can be read as an address (inet_aton(3) reads "10.1" and "0x7f.1" so). "7" alone is a valid name.
  const isNumbers = /^(?:\d+|0x[\da-f]*)(?:\.(?:\d+|0x[\da-f]*))+$/i.test(value);
  return value.length <= LONGEST_DOMAIN && value.split(".").every((label) => LABEL.test(label)) && !isNumbers;
}

/** A domain name in its canonical form: upper and lower case are the same (RFC 4343). @returns `undefined` when it is not one */
export function readDomain(value: string): string | undefined {
  return isDomain(value) ? value.toLowerCase() : undefined;
}

/**
 * Names that systemd resolves to this machine only (src/basic/hostname-util.c, is_localhost); RFC 6761, 6.3, reserves the name for that.
 */
export function isLocalhost(domain: string): boolean {
  return /^(?:.*\.)?localhost(?:\.localdomain)?$/i.test(domain);
}

/**
 * `host`, `host:port`, `[IPv6]`, `[IPv6]:port`, an IPv6 address alone; with http:// or https:// before it or without.
 *
 * @returns the canonical form; `undefined` when it is not an endpoint
 */
export function readEndpoint(value: string): string | undefined {
  const [, scheme = "", plain = ""] = /^(https?:\/\/)?(.*)$/.exec(value) ?? [];
  if (isIPv6(plain) && !plain.includes("%")) return `${scheme}[${canonicalIp(plain)}]`;
  const [, bracketed, name = "", digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+))(?::(\d{1,5}))?$/.exec(plain) ?? [];
  if (digits !== undefined && (Number(digits) < 1 || Number(digits) > 65_535)) return undefined;
  const port = digits === undefined ? "" : `:${Number(digits)}`;
  if (bracketed !== undefined) return isIPv6(bracketed) ? `${scheme}[${canonicalIp(bracketed)}]${port}` : undefined;
  const host = isIPv4(name) ? name : readDomain(name);
  return host === undefined ? undefined : `${scheme}${host}${port}`;
}
