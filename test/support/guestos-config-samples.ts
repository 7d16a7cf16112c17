import { generateKeyPairSync } from "node:crypto";
import { canary } from "./canaries.ts";

/** A GuestOSConfig as a host of that version writes it, by the field lists of each version. Keys and addresses are ours. */
export function sampleConfig(version: string, changes: (config: Sample) => void = () => undefined): string {
  const [, minor = 0] = version.split(".").map(Number);
  const config: Sample = {
    config_version: version,
    network_settings: {
      ipv6_config: { Fixed: { address: "2001:db8:7::17/64", gateway: "2001:db8:7::1" } },
      ipv4_config: { address: "192.0.2.17", gateway: "192.0.2.1", prefix_length: 24 },
      domain_name: "node.example.org",
    },
    icos_settings: {
      node_reward_type: "type3.1",
      mgmt_mac: "b0:7b:25:c8:f6:c0",
      deployment_environment: "mainnet",
      ...(minor < 9 ? { logging: { elasticsearch_hosts: null, elasticsearch_tags: null } } : {}),
      ...(minor < 10 ? { use_nns_public_key: false } : {}),
      nns_urls:
        minor < 15
          ? ["https://icp-api.io,https://icp0.io,https://ic0.app"]
          : ["https://icp-api.io/", "https://icp0.io/", "https://ic0.app/"],
      ...(minor < 12 ? { use_node_operator_private_key: true } : {}),
      ...(minor < 11 ? {} : { node_operator_private_key: null }),
      enable_trusted_execution_environment: false,
      use_ssh_authorized_keys: false,
      icos_dev_settings: {},
    },
    guestos_settings: {
      ...(minor < 14 ? { inject_ic_crypto: false, inject_ic_state: false, inject_ic_registry_local_store: false } : {}),
      guestos_dev_settings: {
        backup_spool: null,
        malicious_behavior: null,
        query_stats_epoch_length: null,
        bitcoind_addr: null,
        ...(minor < 9 ? {} : { dogecoind_addr: null }),
        jaeger_addr: null,
        socks_proxy: null,
        hostname: null,
        generate_ic_boundary_tls_cert: null,
        ...(minor < 17 ? {} : { ic_boundary_tls_cert: null, extra_api_boundary_node_trust_anchors_pem: null }),
        ...(minor < 11 ? {} : { nns_pub_key_override: null }),
      },
      ...(minor < 17 ? {} : { engine_management_canister_id: null }),
    },
    guest_vm_type: "default",
    upgrade_config: { peer_guest_vm_address: "2001:db8:7::18" },
    trusted_execution_environment_config: null,
    ...(minor < 9 ? {} : { recovery_config: null }),
  };
  changes(config);
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** The parts of a configuration that tests change. */
export interface Sample {
  [name: string]: unknown;
  config_version: unknown;
  network_settings: Record<string, unknown>;
  icos_settings: Record<string, unknown>;
  guestos_settings: { [name: string]: unknown; guestos_dev_settings: Record<string, unknown> };
}

/** A new private key, in the form in which an operator has it. */
export function operatorKeyText(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
  return canary("the operator's key", privateKey.export({ type: "sec1", format: "pem" }));
}

/** The HostOSConfig of that version which such a guest comes from. */
export function sampleHostConfig(version: string, changes: (config: HostSample) => void = () => undefined): string {
  const [, minor = 0] = version.split(".").map(Number);
  const guest = JSON.parse(sampleConfig(version)) as Sample;
  const vm = { vm_memory: 16, vm_cpu: "kvm", vm_nr_of_vcpus: 64 };
  const { config_version, network_settings, icos_settings, guestos_settings } = guest;
  const config: HostSample = {
    config_version,
    network_settings: {
      ...network_settings,
      ipv6_config: { Deterministic: { prefix: "2001:db8:0:7", prefix_length: 64, gateway: "2001:db8:0:7::1" } },
    },
    icos_settings,
    hostos_settings: {
      ...(minor < 4 ? {} : { hostos_dev_settings: vm }),
      ...(minor < 10 ? { ...vm, vm_memory: minor < 4 ? 4096 : 16 } : {}),
      verbose: false,
    },
    guestos_settings,
  };
  changes(config);
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

export interface HostSample extends Sample {
  hostos_settings: Record<string, unknown>;
}
