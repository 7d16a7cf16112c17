/** The settings of danted, as values that were checked when they were read. */
export interface DantedSettings {
  /** Networks whose machines may use the proxy. */
  readonly clients: readonly string[];
  /** The outgoing interface. */
  readonly outgoing: string;
}

/** The port of SOCKS (RFC 1928). */
const PORT = 1080;

/**
 * Destinations that are always blocked: the node itself, and its link. danted treats IPv4-mapped IPv6 addresses as the IPv4 addresses they
 * are.
 */
const NOWHERE = ["127.0.0.0/8", "0.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10"];

/**
 * danted.conf(5) of a boundary node: SOCKS for the given networks only, and TCP connections only. danted itself blocks requests that no
 * rule passes; the last rules log that to the journal.
 */
export function dantedConf({ clients, outgoing }: DantedSettings): string {
  return `# Made by guestos-boot from bn_vars.conf in /boot/config, and made again when that changes.
logoutput: stderr
internal: 0.0.0.0 port = ${PORT}
internal: :: port = ${PORT}
external: ${outgoing}
clientmethod: none
socksmethod: none
user.privileged: proxy
user.unprivileged: nobody

${clients.map((network) => `client pass { from: ${network} to: 0/0 }`).join("\n")}
client block { from: 0/0 to: 0/0 log: connect }

${NOWHERE.map((network) => `socks block { from: 0/0 to: ${network} log: connect }`).join("\n")}
${clients.map((network) => `socks pass {\n  from: ${network} to: 0/0\n  command: connect\n  protocol: tcp\n}`).join("\n")}
socks block { from: 0/0 to: 0/0 log: connect }
`;
}
