import { refuseFindings } from "../base/finding.ts";
import { ProblemError } from "../base/problem.ts";
import type { Host } from "../system/host.ts";
import { type OsConfigFile, scanOsConfig } from "./guestos-config.ts";
import { type GuestosConfig, VERSION } from "./guestos-settings.ts";
import { HostosConfig } from "./hostos-settings.ts";
import type { Layout } from "./layout/layout.ts";
import { CONFIG_VERSION, osConfigText } from "./os-config-text.ts";
import { addressInPrefix, deterministicMac, SYSTEM_INDEX } from "./values/deterministic-address.ts";

/** @throws ProblemError with line and column when it is no JSON object, or beyond the bounds */
export function scanHostosConfig(content: Uint8Array, file: string): OsConfigFile<HostosConfig> {
  return scanOsConfig(content, file, HostosConfig);
}

/**
 * The configuration of this HostOS.
 *
 * @throws ProblemError when there is none, or when it is no JSON object, or beyond the bounds
 */
export async function readHostosConfig(host: Host, { hostosConfig: file }: Layout): Promise<OsConfigFile<HostosConfig>> {
  const content = file === undefined ? undefined : await host.readBytes(file);
  if (file !== undefined && content !== undefined) return scanHostosConfig(content, file);
  throw new ProblemError({
    code: "hostos-config-missing",
    what: "this host has no configuration",
    ...(file === undefined ? {} : { where: { file } }),
    found: "no such file",
    expected: "config.json, as the installer writes it",
    todo: "install the host again, or copy the file of another host of the same data centre, and set this machine's mgmt_mac in it",
  });
}

/**
 * The text of a HostOSConfig in the current version, for a file that its owner alone can read. What an older version had and this one has not is left out.
 *
 * @returns `undefined` for a file of this version, or of a later one: it stays as it is
 * @throws ProblemError for a file with mistakes, which would be lost, or without what every host needs
 */
export function hostosConfigUpToDate({ config, file, findings }: OsConfigFile<HostosConfig>): Uint8Array | undefined {
  refuseFindings(file, findings);
  const [, major = "0", minor = "0"] = VERSION.exec(config.config_version) ?? [];
  const [, ownMajor, ownMinor] = VERSION.exec(CONFIG_VERSION) ?? [];
  if (Number(major) > Number(ownMajor) || (major === ownMajor && Number(minor) >= Number(ownMinor))) return undefined;
  return osConfigText({ ...config, config_version: CONFIG_VERSION });
}

/** What a guest is told besides its host's configuration. */
export interface GuestFacts {
  readonly type: "default" | "upgrade";
  /** PEM: of a host with a trusted execution environment. */
  readonly certificateChain?: string;
  /** The beginning of a sha256: while the node is recovered by hand. */
  readonly recoveryHash?: string;
}

/**
 * The configuration that a host hands to its guest (dfinity/ic, rs/ic_os/config/tool/src/hostos/guestos_config.rs): the address is computed, all
 * else is the host's own.
 *
 * @throws ProblemError where an address cannot be computed, or the certificates are missing
 */
export function guestosConfigOf(host: HostosConfig, { type, certificateChain, recoveryHash }: GuestFacts): GuestosConfig {
  const { network_settings, icos_settings, guestos_settings } = host;
  const { ipv6_config: ipv6 } = network_settings;
  const { mgmt_mac, deployment_environment: environment } = icos_settings;
  if (ipv6.kind !== "Deterministic" || mgmt_mac === null || environment === "unknown")
    throw new ProblemError({
      code: "guest-address-not-known",
      what: "the address of the guest cannot be computed",
      found: `ipv6_config ${ipv6.kind}, mgmt_mac ${mgmt_mac ?? "null"}, deployment_environment ${environment}`,
      expected: "Deterministic, a MAC address, and mainnet or testnet",
    });
  if (icos_settings.enable_trusted_execution_environment && certificateChain === undefined)
    throw new ProblemError({
      code: "certificate-chain-missing",
      what: "a guest in a trusted execution environment needs the certificates of the host's processor",
      found: "none",
      expected: "a chain in PEM",
      todo: "this version fetches none: set enable_trusted_execution_environment to false in config.json, if the guest may run unencrypted",
    });
  const address = (index: number): string => addressInPrefix(ipv6.prefix, deterministicMac(mgmt_mac, environment, index)) ?? "";
  const own = { default: SYSTEM_INDEX.default, upgrade: SYSTEM_INDEX.upgrade }[type];
  const peer = type === "default" ? SYSTEM_INDEX.upgrade : SYSTEM_INDEX.default;
  return {
    config_version: CONFIG_VERSION,
    network_settings: {
      ...network_settings,
      ipv6_config: { kind: "Fixed", address: `${address(own)}/${ipv6.prefix_length}`, gateway: ipv6.gateway },
    },
    icos_settings,
    guestos_settings,
    guest_vm_type: type,
    upgrade_config: { peer_guest_vm_address: address(peer) },
    trusted_execution_environment_config: certificateChain === undefined ? null : { sev_cert_chain_pem: certificateChain },
    recovery_config: recoveryHash === undefined ? null : { recovery_hash: recoveryHash },
  };
}
