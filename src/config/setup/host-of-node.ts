import { ProblemError } from "../../base/problem.ts";
import type { Secret } from "../../base/secret.ts";
import { GuestosSettings } from "../guestos-settings.ts";
import type { HostosConfig } from "../hostos-settings.ts";
import { CONFIG_VERSION } from "../os-config-text.ts";
import type { ConfigIni } from "./config-ini-keys.ts";
import type { DeploymentJson } from "./deployment-json.ts";

/** What is not in the two files. */
interface NodeFacts {
  readonly mgmtMac: string;
  readonly operatorKey: Secret | undefined;
  /** Whether the folder has keys of the host's accounts. */
  readonly hasKeys: boolean;
}

/**
 * The configuration of a host from its two files: the very object that is stored.
 *
 * @throws ProblemError where something of it is missing
 */
export function hostosConfigOf(config: ConfigIni, deployment: DeploymentJson, { mgmtMac, operatorKey, hasKeys }: NodeFacts): HostosConfig {
  const { ipv6_prefix: prefix, ipv6_gateway: gateway, ipv4_address, ipv4_gateway, ipv4_prefix_length } = config;
  const { environment, nnsUrls, vmResources } = deployment;
  if (prefix === undefined || gateway === undefined || environment === undefined)
    throw new ProblemError({
      code: "node-config-not-whole",
      what: "a host cannot be configured without its network",
      found: `ipv6_prefix ${prefix}, ipv6_gateway ${gateway}, deployment_environment ${environment}`,
      expected: "all three",
    });
  const hasIpv4 = ipv4_address !== undefined && ipv4_gateway !== undefined && ipv4_prefix_length !== undefined;
  return {
    config_version: CONFIG_VERSION,
    network_settings: {
      ipv6_config: { kind: "Deterministic", prefix, prefix_length: 64, gateway },
      ipv4_config: hasIpv4 ? { address: ipv4_address, gateway: ipv4_gateway, prefix_length: ipv4_prefix_length } : null,
      domain_name: config.domain ?? null,
    },
    icos_settings: {
      node_reward_type: config.node_reward_type ?? null,
      mgmt_mac: mgmtMac,
      deployment_environment: environment,
      nns_urls: nnsUrls,
      node_operator_private_key: operatorKey ?? null,
      enable_trusted_execution_environment: config.enable_trusted_execution_environment ?? false,
      use_ssh_authorized_keys: hasKeys,
    },
    hostos_settings: {
      verbose: config.verbose ?? false,
      hostos_dev_settings: { vm_memory: vmResources.memory, vm_cpu: vmResources.cpu, vm_nr_of_vcpus: vmResources.processors },
    },
    guestos_settings: GuestosSettings.parse({}),
  };
}
