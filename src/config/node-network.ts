import type { Host } from "../system/host.ts";
import { type GuestosConfigFile, type OsConfigFile, readGuestosConfig } from "./guestos-config.ts";
import type { GuestosConfig } from "./guestos-settings.ts";
import type { Layout } from "./layout/layout.ts";
import { judged, NetworkConf, type NetworkConfFile, scanNetworkConf } from "./network-conf.ts";
import { type ConfFinding, readConf } from "./text/conf.ts";
import type { JsonPath } from "./text/json-scan.ts";
import type { JsonFinding } from "./text/json-settings.ts";
import { addressInPrefix, deterministicMac, SYSTEM_INDEX } from "./values/deterministic-address.ts";

/** What to do about a mistake in a file that the host hands over. */
export const CORRECT_ON_HOST = "correct it on the host, and start the VM again";

/**
 * The usable settings of this node's network.conf, where no one can correct it. The units network and hostname report the others.
 *
 * @returns an empty one when there is no file: then everything is configured automatically
 * @throws ProblemError when it is too long
 */
export async function readNetworkConf(host: Host, layout: Layout): Promise<NetworkConf> {
  return (await readNetworkConfFile(host, layout)).conf;
}

/** As `readNetworkConf`, with all findings and warnings. @throws ProblemError when the file is too long */
export async function readNetworkConfFile(host: Host, layout: Layout): Promise<NetworkConfFile> {
  if (layout.hostosConfig !== undefined) return hostosNetwork(host, layout);
  const handedOver = await readGuestosConfig(host, layout);
  if (handedOver !== undefined) return guestosNetwork(handedOver);
  const file = layout.config.injected.network;
  const nothing = { file, isFromHost: false, conf: NetworkConf.parse({}), malformed: [], local: [], unusable: [], warnings: [] };
  return (await readConf(host, file, scanNetworkConf)) ?? nothing;
}

/**
 * The name servers of a node with a fixed address, to which no router advertises any. Its hosts use the same (dfinity/ic,
 * rs/ic_os/networking/network).
 */
const NAME_SERVERS = ["2606:4700:4700::1111", "2606:4700:4700::1001", "2001:4860:4860::8888", "2001:4860:4860::8844"];

/** The network settings of config.json that a host hands over. */
export function guestosNetwork(read: GuestosConfigFile): NetworkConfFile {
  const { guest_vm_type: type, guestos_settings } = read.config;
  return osNetwork(read, {
    ...{ isFromHost: true, namedAs: "guest", hostname: guestos_settings.guestos_dev_settings.hostname },
    index: SYSTEM_INDEX[type === "upgrade" ? "upgrade" : "default"],
  });
}

/** That of a HostOS. Loaded there alone. */
async function hostosNetwork(host: Host, layout: Layout): Promise<NetworkConfFile> {
  const { readHostosConfig } = await import("./hostos-config.ts");
  const own = { isFromHost: false, namedAs: "host", hostname: undefined, index: SYSTEM_INDEX.host };
  return osNetwork(await readHostosConfig(host, layout), own);
}

interface OwnNetwork {
  readonly isFromHost: boolean;
  /** The beginning of the host name, before the address of the BMC. */
  readonly namedAs: string;
  /** Instead of the name that follows from it. */
  readonly hostname: string | null | undefined;
  /** Of SYSTEM_INDEX. */
  readonly index: number;
}

type OsConfig = Pick<GuestosConfig, "network_settings" | "icos_settings">;

function osNetwork(
  { file, config, findings, finding }: Pick<OsConfigFile<OsConfig>, "file" | "config" | "findings" | "finding">,
  { isFromHost, namedAs, hostname: given, index }: OwnNetwork,
): NetworkConfFile {
  const { ipv6_config: ipv6, ipv4_config: ipv4, domain_name } = config.network_settings;
  const { mgmt_mac } = config.icos_settings;
  const hostname = given ?? (mgmt_mac === null ? null : `${namedAs}-${mgmt_mac.replaceAll(":", "")}`);
  const ipv6Address = ipv6.kind === "Fixed" ? ipv6.address : ipv6.kind === "Deterministic" ? computedAddress(config, index) : null;
  const isFixed = ipv6.kind === "Fixed" || ipv6.kind === "Deterministic";
  const settings = {
    ipv6_address: ipv6Address,
    ipv6_gateway: isFixed ? ipv6.gateway : null,
    ipv4_address: ipv4 === null ? null : `${ipv4.address}/${ipv4.prefix_length}`,
    ipv4_gateway: ipv4?.gateway ?? null,
    hostname,
    domain: domain_name,
  };
  const values = Object.entries(settings).filter((entry): entry is [string, string] => entry[1] !== null);
  const conf: NetworkConf = { ...Object.fromEntries(values), name_servers: ipv6Address === null ? [] : NAME_SERVERS };
  const named = (key: string, found: JsonFinding): ConfFinding => ({ ...found, key });
  const missing: ConfFinding[] = [
    ...(ipv6.kind === "Unknown" ? [named("ipv6_address", finding(IPV6, "Fixed, Deterministic or RouterAdvertisement"))] : []),
    ...(ipv6.kind === "Deterministic" && ipv6Address === null
      ? [named("ipv6_address", finding([...IPV6, ipv6.kind], "mgmt_mac, and mainnet or testnet as deployment_environment, beside it"))]
      : []),
    ...(hostname === null && !findings.some(({ path }) => path[1] === "mgmt_mac")
      ? [named("hostname", finding(["icos_settings", "mgmt_mac"], "a MAC address, which the host name is made of"))]
      : []),
  ];
  const own = findings.flatMap((found) => {
    const key = keyOf(found.path);
    return key === undefined ? [] : [named(key, found)];
  });
  const pathOf = (key: string): JsonPath =>
    key === "domain"
      ? ["network_settings", "domain_name"]
      : [...(key.startsWith("ipv6") ? [...IPV6, ipv6.kind] : IPV4), key.endsWith("_gateway") ? "gateway" : "address"];
  return {
    ...{ file, isFromHost },
    ...judged({ conf, findings: [...own, ...missing], finding: (key, expected) => named(key, finding(pathOf(key), expected)) }),
  };
}

const IPV6 = ["network_settings", "ipv6_config"] as const;
const IPV4 = ["network_settings", "ipv4_config"] as const;

/** The key of network.conf for which a value of config.json stands; `undefined` for one that has nothing to do with the network. */
function keyOf(path: JsonPath): string | undefined {
  const [section, name, ...below] = path.map(String);
  if (section === "network_settings") {
    if (name === "domain_name") return "domain";
    return `${name === "ipv4_config" ? "ipv4" : "ipv6"}_${below.at(-1) === "gateway" ? "gateway" : "address"}`;
  }
  return name === "mgmt_mac" || below.includes("hostname") ? "hostname" : undefined;
}

/** The address of the system of that number in SYSTEM_INDEX; `null` where something of it is not given. */
function computedAddress({ network_settings, icos_settings }: OsConfig, index: number): string | null {
  const { ipv6_config: ipv6 } = network_settings;
  const { mgmt_mac, deployment_environment: environment } = icos_settings;
  if (ipv6.kind !== "Deterministic" || mgmt_mac === null || environment === "unknown") return null;
  const address = addressInPrefix(ipv6.prefix, deterministicMac(mgmt_mac, environment, index));
  return address === undefined ? null : `${address}/${ipv6.prefix_length}`;
}
