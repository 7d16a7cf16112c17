import { isIPv4, isIPv6 } from "node:net";

/** A label of RFC 1123, section 2.1: letters, digits and hyphens, neither first nor last a hyphen, at most 63. */
const LABEL = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** The kernel's limit for its own name (HOST_NAME_MAX, gethostname(2)); longer ones the kernel refuses. */
const LONGEST_HOSTNAME = 64;
/** RFC 1035, section 2.3.4, as text without the root's dot. */
const LONGEST_DOMAIN = 253;

export function isHostname(value: string): boolean {
  return value.length <= LONGEST_HOSTNAME && isDomain(value);
}

/** A domain name. What reads as an IPv4 address is none (RFC 1123, section 2.1). */
export function isDomain(value: string): boolean {
  // Two labels or more of nothing but digits can be taken for an address ("10.1" is one to inet_aton(3)); "7" alone is a fine name.
  return value.length <= LONGEST_DOMAIN && value.split(".").every((label) => LABEL.test(label)) && !/^\d+(\.\d+)+$/.test(value);
}

/** `host`, `host:port`, `[IPv6]`, `[IPv6]:port`, an IPv6 address alone; with http:// or https:// before it or without. */
export function isEndpoint(value: string): boolean {
  const plain = value.replace(/^https?:\/\//, "");
  if (isIPv6(plain) && !plain.includes("%")) return true;
  const [, bracketed, name = "", port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+))(?::(\d{1,5}))?$/.exec(plain) ?? [];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return false;
  return bracketed === undefined ? isIPv4(name) || isDomain(name) : isIPv6(bracketed);
}
