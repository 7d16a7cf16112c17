import { isIPv4, isIPv6 } from "node:net";
import type { Finding } from "../../base/finding.ts";
import { BITS } from "./ip-address.ts";
import { addressBits } from "./ip-network.ts";

/**
 * Only options that restrict a key. Options that allow more than a login (command=, environment=, tunnel=, cert-authority, permitopen=, …)
 * are refused. They would run or open something on the node in an operator's name, unseen by the operator. `no-touch-required` does not
 * restrict.
 */
const NARROWING = /^(restrict|verify-required|no-(agent-forwarding|port-forwarding|pty|user-rc|x11-forwarding))$/i;
const VALUED = /^(from|expiry-time)="([A-Za-z0-9.:*?!/,_-]*)"$/i;

export type OptionFault = Fault & { readonly option: string };

/** The options of a key, one by one. Blanks and commas between double quotes are part of an option. */
export function splitOptions(options: string): readonly string[] {
  return options.match(/(?:[^,"]|"[^"]*")+/g) ?? [];
}

/**
 * The first option that is not allowed, or that sshd would refuse. sshd then accepts the key from no one (auth-options.c of OpenSSH,
 * sshauthopt_parse; auth2-pubkeyfile.c, auth_authorise_keyopts). `undefined` when all are valid.
 */
export function optionFault(options: readonly string[]): OptionFault | undefined {
  let from = 0;
  for (const option of options) {
    if (NARROWING.test(option)) continue;
    const [, name = "", value = ""] = VALUED.exec(option) ?? [];
    const fault = name === "" ? NOT_ALLOWED : name.toLowerCase() === "from" ? fromFault(value) : expiryFault(value);
    if (fault !== undefined) return { ...fault, option };
    if (name.toLowerCase() === "from") from += 1;
    if (from > 1)
      return { code: "key-option-twice", what: "a key has the option from twice", option, expected: "one list, separated by commas" };
  }
  return undefined;
}

type Fault = Pick<Finding, "code" | "what" | "expected">;

const NOT_ALLOWED: Fault = {
  code: "key-option-not-allowed",
  what: "an option of a key is not allowed",
  expected: 'options that only restrict: restrict, verify-required, no-…, from="…", expiry-time="…"',
};

/** As addrmatch.c of OpenSSH, addr_match_list: one wrong entry makes the whole list invalid, and no one gets in. */
function fromFault(list: string): Fault | undefined {
  for (const entry of list.split(",").map((text) => text.replace(/^!/, ""))) {
    if (entry === "")
      return {
        code: "host-list-entry-empty",
        what: "a list of hosts has an empty entry",
        expected: "addresses, networks and patterns, separated by commas",
      };
    const fault = networkFault(entry);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/**
 * As addr.c of OpenSSH, addr_pton_cidr, where it reports that address and prefix contradict each other. An entry that is not an address, or
 * has a prefix above 128, is a pattern there, which no host name matches.
 */
function networkFault(entry: string): Fault | undefined {
  const [, text = "", digits = ""] = /^([^/]+)\/(\d+)$/.exec(entry) ?? [];
  const prefix = Number(digits);
  const address = entry.length > LONGEST_ENTRY || prefix > BITS.ipv6 ? undefined : canonicalAddress(text);
  const family = address?.includes(":") === true ? "ipv6" : "ipv4";
  const bits = address === undefined ? undefined : addressBits(address, family);
  if (bits === undefined) return undefined;
  if (prefix > BITS[family])
    return {
      code: "network-prefix-too-long",
      what: "a network has a prefix longer than its addresses",
      expected: `at most /${BITS[family]}`,
    };
  if (BigInt.asUintN(BITS[family] - prefix, bits) === 0n) return undefined;
  return {
    code: "network-bits-behind-prefix",
    what: "a network has bits set after its prefix",
    expected: `an address of which all bits after the first ${prefix} are 0`,
  };
}

/** addr.c of OpenSSH: char addrbuf[64]. */
const LONGEST_ENTRY = 63;

/** As getaddrinfo(3) reads it with AI_NUMERICHOST: IPv4 also in the forms of inet_aton(3), as in URLs ("10.1" is 10.0.0.1). */
function canonicalAddress(text: string): string | undefined {
  if (isIPv6(text)) return URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1);
  if (!/^[\da-fx.]*[\da-fx]$/i.test(text)) return undefined;
  const host = URL.parse(`http://${text}/`)?.hostname;
  return host !== undefined && isIPv4(host) ? host : undefined;
}

/** As misc.c of OpenSSH, parse_absolute_time, by strptime(3). A day beyond the end of its month counts as one of the next month there. */
function expiryFault(text: string): Fault | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(?:Z|UTC)?$/i
    .exec(text)
    ?.slice(1)
    .map((part) => Number(part ?? 0));
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts ?? [];
  const isTime = month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 && second <= 61;
  // Date.UTC reads the years 0 to 99 as other years. They are before 1970 in any case, so the year itself is checked too.
  if (isTime && year >= 1970 && Date.UTC(year, month - 1, day, hour, minute, second) > 0) return undefined;
  return {
    code: "key-expiry-not-valid",
    what: "a key has an invalid expiry time",
    expected: "YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, with Z for UTC",
  };
}
