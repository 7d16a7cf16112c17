/** What one interface is to be given, whoever asks for it. Each value in its one spelling, which is what is written. */
export interface NetworkSettings {
  /** Static addresses with prefix length: "2001:db8::5/64". */
  readonly addresses: readonly string[];
  /** Each on the link, whether or not it is in the network of an address. */
  readonly gateways: readonly string[];
  /** In order of preference. When there are any, those that routers advertise are not used. */
  readonly nameServers: readonly string[];
  readonly searchDomain?: string;
  /** Addresses, routes and name servers are taken from router advertisements. */
  readonly acceptRouterAdvertisements: boolean;
}

/** First line of every file that we write: what begins with it is ours to replace and to remove. */
export const OUR_HEADER = "# Written by guestos-boot at every boot; edit network.conf on the config partition instead.";

/**
 * A .network file (systemd.network(5)) that gives one interface these settings.
 *
 * IPv4 is used only where it was asked for: no DHCP, so that a stray DHCP server in a data centre gives a node nothing.
 * Addresses from advertised prefixes are derived from the MAC and not from chance: hosts know a node by them.
 * Whether DHCPv6 is asked as well is the router's decision, by the flags of its advertisement.
 * Every gateway is said to be on the link, also one in the node's own network, where that says nothing new: to systemd 252 a route with
 * GatewayOnLink= is the same route as without, and so it would wait without end where one becomes the other while it runs.
 */
export function networkFile(interfaceName: string, settings: NetworkSettings): string {
  const lines = [
    OUR_HEADER,
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
    ...(settings.searchDomain === undefined ? [] : [`Domains=${settings.searchDomain}`]),
  ];
  for (const gateway of settings.gateways) lines.push("", "[Route]", `Gateway=${gateway}`, "GatewayOnLink=yes");
  if (settings.acceptRouterAdvertisements && settings.nameServers.length > 0) {
    lines.push("", "[IPv6AcceptRA]", "UseDNS=no", "", "[DHCPv6]", "UseDNS=no");
  }
  return `${lines.join("\n")}\n`;
}
