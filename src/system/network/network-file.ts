/** The static settings for one interface, whoever requests them. Each value is in its canonical form, in which it is written. */
export interface StaticSettings {
  /** Static addresses with prefix length: "2001:db8::5/64". */
  readonly addresses: readonly string[];
  /** Each is treated as on the link, whether or not it is in the network of an address. */
  readonly gateways: readonly string[];
  /** In order of preference. When there are any, those that routers advertise are not used. */
  readonly nameServers: readonly string[];
  readonly domains: readonly string[];
}

export interface NetworkSettings extends StaticSettings {
  /** Addresses, routes and name servers are taken from router advertisements. */
  readonly acceptRouterAdvertisements: boolean;
}

/** Begins every file that this program writes. A file that begins with it is ours to replace and to remove. */
export const OUR_MARK = "# Written by guestos-boot at every boot;";

/** Where the settings come from: what a reader must change, and not this file. */
const SOURCES = {
  file: "edit network.conf on the config partition instead.",
  host: "the host's config.json has these settings.",
  stick: "config.ini on the stick has these settings.",
} as const;

/**
 * A .network file (systemd.network(5)) that gives one interface these settings.
 *
 * IPv4 is used only on request, and without DHCP, so that a stray DHCP server in a data centre cannot configure a node. Addresses from
 * advertised prefixes are derived from the MAC, not chosen at random: other hosts know a node by them. The router decides whether DHCPv6 is
 * used as well, by the flags of its advertisement. Every gateway gets GatewayOnLink=, also one in the node's own network, where it adds
 * nothing. To systemd 252 a route with GatewayOnLink= equals the same route without. So it would wait without end if one replaced the other
 * while it runs.
 */
export function networkFile(interfaceName: string, settings: NetworkSettings, from: keyof typeof SOURCES): string {
  const lines = [
    `${OUR_MARK} ${SOURCES[from]}`,
    "[Match]",
    `Name=${interfaceName}`,
    "",
    "[Network]",
    "DHCP=no",
    "LinkLocalAddressing=ipv6",
    `IPv6AcceptRA=${settings.acceptRouterAdvertisements ? "yes" : "no"}`,
    "IPv6PrivacyExtensions=no",
    ...settings.addresses.map((address) => `Address=${address}`),
    ...settings.nameServers.map((server) => `DNS=${server}`),
    ...settings.domains.map((domain) => `Domains=${domain}`),
  ];
  for (const gateway of settings.gateways) lines.push("", "[Route]", `Gateway=${gateway}`, "GatewayOnLink=yes");
  if (settings.acceptRouterAdvertisements && settings.nameServers.length > 0) {
    lines.push("", "[IPv6AcceptRA]", "UseDNS=no", "", "[DHCPv6]", "UseDNS=no");
  }
  return `${lines.join("\n")}\n`;
}
