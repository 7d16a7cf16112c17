import type { Finding } from "../../base/finding.ts";
import type { Problem } from "../../base/problem.ts";
import { judged } from "../network-conf.ts";
import { type Family, isInNetwork, isLinkLocal } from "../values/ip-address.ts";
import type { ConfigIni, KeyFinding } from "./config-ini-keys.ts";

/** What is wrong with the addresses of a config.ini beside each other. */
export interface NetworkFindings {
  readonly findings: readonly Finding[];
  /** What may not have the intended effect, and the key that it is about. */
  readonly warnings: readonly (Problem & { readonly key: string })[];
}

/**
 * Networks that no router of the Internet forwards to: for documentation (RFC 3849, 5737, 9637), private (RFC 1918, 4193), shared (RFC 6598).
 * Of IPv6, all but 2000::/3 is not assigned (IANA).
 */
const NOT_PUBLIC = {
  ipv4: ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.0.2.0/24", "192.168.0.0/16", "198.51.100.0/24", "203.0.113.0/24"],
  ipv6: ["2001:db8::/32", "3fff::/20"],
} as const;
const ASSIGNED = "2000::/3";

/** Holds the addresses of a config.ini against each other. Each of them is valid by itself. */
export function networkFindings(config: ConfigIni, finding: KeyFinding): NetworkFindings {
  const { ipv6_prefix: prefix, ipv6_gateway: gateway, ipv4_address, ipv4_prefix_length: length, ipv4_gateway, domain } = config;
  const own = ipv4_address === undefined || length === undefined ? undefined : `${ipv4_address}/${length}`;
  const isFarAway = own !== undefined && ipv4_gateway !== undefined && !isInNetwork(ipv4_gateway, own, "ipv4");
  const outside = (key: keyof ConfigIni, network: string): Finding => ({
    ...finding(key, `an address in ${network}`),
    code: "gateway-outside-network",
    what: `${key} is not in the node's network`,
  });
  const judgement = judged({
    conf: {
      ...(own === undefined || ipv4_gateway === undefined || isFarAway ? {} : { ipv4_address: own, ipv4_gateway }),
      ...(domain === undefined ? {} : { domain }),
      name_servers: [],
    },
    findings: [],
    finding: (key, expected) => ({ ...finding(keyOfIni(key), expected), key }),
  });
  return {
    findings: [
      ...(prefix !== undefined && gateway !== undefined && !isLinkLocal(gateway) && !isInNetwork(gateway, `${prefix}::/64`, "ipv6")
        ? [outside("ipv6_gateway", `the network ${prefix}::/64 of ipv6_prefix`)]
        : []),
      ...(isFarAway ? [outside("ipv4_gateway", `the network of ${own}`)] : []),
      ...judgement.unusable,
    ],
    warnings: [
      ...(prefix === undefined ? [] : notPublic("ipv6_prefix", `${prefix}::`, "ipv6")),
      ...(ipv4_address === undefined ? [] : notPublic("ipv4_address", ipv4_address, "ipv4")),
      ...judgement.warnings.map((found) => {
        const [key = ""] = found.split(" ");
        return { key, code: "setting-doubtful", what: `${key} may not work as it is meant`, found };
      }),
    ],
  };
}

function keyOfIni(key: string): keyof ConfigIni {
  return key === "domain" || key === "ipv4_gateway" ? key : "ipv4_address";
}

function notPublic(key: keyof ConfigIni, address: string, family: Family): NetworkFindings["warnings"] {
  const isPrivate = NOT_PUBLIC[family].some((network) => isInNetwork(address, network, family));
  if (!isPrivate && (family === "ipv4" || isInNetwork(address, ASSIGNED, family))) return [];
  return [
    {
      key,
      code: "network-not-public",
      what: `${key} is not in a network of the Internet: no one outside reaches the node at it`,
      found: address,
      expected: "an address that the data centre has for you",
    },
  ];
}
