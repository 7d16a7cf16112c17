import { ProblemError } from "../base/problem.ts";
import { Secret } from "../base/secret.ts";
import type { GuestosConfig } from "./guestos-settings.ts";
import type { HostosConfig } from "./hostos-settings.ts";

/** The version in which configurations are written. */
export const CONFIG_VERSION = "1.17.0";

/**
 * A configuration as its file has it: the members of version 1.17 in the order of dfinity/ic (rs/ic_os/config/types). The operator's key is in
 * it as a secret, and prints as one.
 *
 * @throws ProblemError where the file would have no such value
 */
export function osConfigDocument(config: HostosConfig | GuestosConfig): object {
  const { config_version, network_settings, icos_settings, guestos_settings } = config;
  const shared = {
    config_version,
    network_settings: networkDocument(network_settings),
    icos_settings: icosDocument(icos_settings),
  };
  const guest = guestDocument(guestos_settings);
  if (!("guest_vm_type" in config))
    return {
      ...shared,
      hostos_settings: {
        hostos_dev_settings: { ...config.hostos_settings.hostos_dev_settings },
        verbose: config.hostos_settings.verbose,
      },
      guestos_settings: guest,
    };
  const { guest_vm_type, upgrade_config, trusted_execution_environment_config, recovery_config } = config;
  return { ...shared, guestos_settings: guest, guest_vm_type, upgrade_config, trusted_execution_environment_config, recovery_config };
}

/**
 * The text of a configuration, as it is stored and handed over: canonical, so that the same configuration is the same bytes. The operator's key
 * is in it, so it is for a file that its owner alone can read.
 *
 * @throws ProblemError as `osConfigDocument`
 */
export function osConfigText(config: HostosConfig | GuestosConfig): Uint8Array {
  const withKey = (_: string, value: unknown): unknown => {
    if (typeof value !== "object" || value === null || !("node_operator_private_key" in value)) return value;
    const { node_operator_private_key: key } = value;
    return key instanceof Secret ? { ...value, node_operator_private_key: Buffer.from(key.expose()).toString() } : value;
  };
  return Buffer.from(`${JSON.stringify(osConfigDocument(config), withKey, 2)}\n`);
}

/** A choice as the host's serialiser writes it: a word, or an object with one name. */
function networkDocument({ ipv6_config, ipv4_config, domain_name }: HostosConfig["network_settings"]): object {
  const { kind, ...content } = ipv6_config;
  if (kind === "Unknown") throw notWhole("network_settings.ipv6_config", "a choice of a later version");
  return { ipv6_config: kind === "RouterAdvertisement" ? kind : { [kind]: content }, ipv4_config, domain_name };
}

function icosDocument(settings: HostosConfig["icos_settings"]): object {
  const { node_reward_type, mgmt_mac, deployment_environment, nns_urls, node_operator_private_key } = settings;
  if (mgmt_mac === null) throw notWhole("icos_settings.mgmt_mac", "null");
  if (deployment_environment === "unknown") throw notWhole("icos_settings.deployment_environment", "none");
  return {
    node_reward_type,
    mgmt_mac,
    deployment_environment,
    // As the standard serialises them (url.spec.whatwg.org): with a slash behind the host.
    nns_urls: nns_urls.map((url) => new URL(url).href),
    node_operator_private_key,
    enable_trusted_execution_environment: settings.enable_trusted_execution_environment,
    use_ssh_authorized_keys: settings.use_ssh_authorized_keys,
    icos_dev_settings: settings.icos_dev_settings ?? {},
  };
}

function guestDocument({ guestos_dev_settings: dev, engine_management_canister_id }: HostosConfig["guestos_settings"]): object {
  return {
    guestos_dev_settings: {
      backup_spool: dev.backup_spool,
      malicious_behavior: dev.malicious_behavior,
      query_stats_epoch_length: dev.query_stats_epoch_length,
      bitcoind_addr: dev.bitcoind_addr,
      dogecoind_addr: dev.dogecoind_addr,
      jaeger_addr: dev.jaeger_addr,
      socks_proxy: dev.socks_proxy,
      hostname: dev.hostname,
      generate_ic_boundary_tls_cert: dev.generate_ic_boundary_tls_cert,
      ic_boundary_tls_cert: dev.ic_boundary_tls_cert ?? null,
      extra_api_boundary_node_trust_anchors_pem: dev.extra_api_boundary_node_trust_anchors_pem ?? null,
      nns_pub_key_override: dev.nns_pub_key_override,
    },
    engine_management_canister_id,
  };
}

function notWhole(name: string, found: string): ProblemError {
  return new ProblemError({
    code: "config-not-whole",
    what: `a configuration without ${name} cannot be written`,
    found,
    expected: "a value, as every host and guest needs it",
  });
}
