import { isIPv6 } from "node:net";
import type { Host } from "../system/host.ts";
import { asItStands, parseConf, readConf, word, words } from "./text/conf.ts";
import { readDomain } from "./values/host-name.ts";
import { readNetwork } from "./values/ip-network.ts";
import type { Layout } from "./layout/layout.ts";
import * as z from "../base/schema.ts";

const SEPARATOR = /[ ,]+/;
/** A served domain has a dot: a single label would match every request of that name, wherever it is meant to go. */
const domains = z._default(
  words(
    "domain names with a dot, as in ic0.app, separated by blanks or commas",
    (value) => (value.includes(".") ? readDomain(value) : undefined),
    SEPARATOR,
  ),
  [],
);
const networks = (family: "ipv4" | "ipv6"): z.ZodMiniType<readonly string[], string | undefined> => {
  const example = { ipv4: "IPv4 networks, as in 192.0.2.0/24", ipv6: "IPv6 networks, as in 2001:db8::/32" }[family];
  const expected = `${example}, with no bit set after the prefix, separated by blanks or commas`;
  return z._default(
    words(expected, (value) => readNetwork(value, family), SEPARATOR),
    [],
  );
};
const oneOf = (...known: readonly string[]): ReturnType<typeof asItStands> => asItStands((value) => known.includes(value));
const flag = z.optional(word("1 or 0", oneOf("1", "0")));
/** As a number, because other programs may read 010 as an octal one. */
const wholeNumber = word("a whole number", (value) => (/^\d{1,15}$/.test(value) ? String(Number(value)) : undefined));
/** Passed on, or meant for programs outside this chain. May hold a password: never shown. */
const opaque = z.optional(z.string());

const BnVars = z.object({
  /** The first of each is the one that the node uses for itself. */
  system_domains: domains,
  application_domains: domains,
  api_domains: domains,
  /** The clients that may use the SOCKS proxy: the nodes of the network. */
  ipv6_replica_ips: networks("ipv6"),
  ipv4_replica_ips: networks("ipv4"),
  ipv6_http_ips: networks("ipv6"),
  ipv4_http_ips: networks("ipv4"),
  ipv6_debug_ips: networks("ipv6"),
  ipv6_monitoring_ips: networks("ipv6"),
  /** The SOCKS proxy's outgoing interface; the primary interface when absent. */
  socks_interface: z.optional(word("the name of a network interface, as in enp2s0", asItStands(isInterfaceName))),
  require_seo_certification: flag,
  require_underscore_certification: flag,
  last_known_registry_version: z.optional(wholeNumber),
  env: z.optional(word("dev, test or prod", oneOf("dev", "test", "prod"))),
  denylist_url: opaque,
  elasticsearch_url: opaque,
  elasticsearch_tags: opaque,
  ip_hash_salt: opaque,
  logging_url: opaque,
  logging_user: opaque,
  logging_password: opaque,
  logging_2xx_sample_rate: opaque,
});
export type BnVars = z.infer<typeof BnVars>;

/** Older host tools write one domain a line, and repeat the key. */
const REPEATABLE = ["system_domains", "application_domains", "api_domains"];

/** Linux's rule (dev_valid_name), without characters that would be more than a word in the proxy's configuration. */
function isInterfaceName(value: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_-]{0,14}$/.test(value) && !isIPv6(value);
}

/** @throws ProblemError naming every mistake with its place */
export function parseBnVars(content: Uint8Array, file: string): BnVars {
  return parseConf(content, file, BnVars, Object.keys(BnVars.shape), REPEATABLE);
}

/** bn_vars.conf of this node; without any value when there is no such file. @throws ProblemError naming every mistake with its place */
export async function readBnVars(host: Host, layout: Layout): Promise<BnVars> {
  return (await readConf(host, layout.config.injected.bnVars, parseBnVars)) ?? BnVars.parse({});
}

/** Every domain that this node answers for, each once. */
export function servedDomains({ system_domains, application_domains }: BnVars): readonly string[] {
  return [...new Set([...system_domains, ...application_domains])];
}
