import * as z from "../base/schema.ts";
import { ipv4Address, ipv6Address, Ipv6Config, NnsUrls, object, OperatorKey, PublicKey } from "./guestos-values.ts";
import { choice, flag, matching, needed, plain, section, setting, text, whole } from "./text/json-settings.ts";
import { isHostname, readDomain } from "./values/host-name.ts";
import { readMacAddress } from "./values/mac-address.ts";

/** Ten years, in seconds: a larger value is a mistake, such as milliseconds. */
const LONGEST_TIME = 10 * 365 * 86_400;

/** Printable ASCII without blanks, quotes and backslashes: the node software gets the value within a text of its own configuration. */
const plainWord = setting("a word without blanks, quotes and backslashes", matching(/^[!#-&(-[\]-~]{1,256}$/), null);

const BackupSpool = section({
  backup_retention_time_seconds: setting(`a whole number of seconds from 0 to ${LONGEST_TIME}`, whole(0, LONGEST_TIME), null),
  backup_purging_interval_seconds: setting(`a whole number of seconds from 1 to ${LONGEST_TIME}`, whole(1, LONGEST_TIME), null),
});

/** Read in a dev image alone (`readGuestosConfig`). */
const GuestosDevSettings = section({
  backup_spool: z._default(z.nullable(BackupSpool), null),
  /** The replica alone knows what is in it. */
  malicious_behavior: setting("an object", object, null),
  query_stats_epoch_length: setting("a whole number from 1 on", whole(1, Number.MAX_SAFE_INTEGER), null),
  bitcoind_addr: plainWord,
  dogecoind_addr: plainWord,
  jaeger_addr: plainWord,
  socks_proxy: plainWord,
  hostname: setting("a host name of letters, digits, hyphens and dots (RFC 1123), at most 64 characters", plain(isHostname), null),
  generate_ic_boundary_tls_cert: setting("a domain name, as in example.org", text(readDomain), null),
  nns_pub_key_override: PublicKey,
  // For system tests of ic-boundary, which no node of this profile runs: not held, because one of them may have a private key in it.
  ic_boundary_tls_cert: z.optional(z.unknown()),
  extra_api_boundary_node_trust_anchors_pem: z.optional(z.unknown()),
});

/** All of it, or none: the host writes `null` where it has only a part. */
const Ipv4Config = section({
  address: needed("an IPv4 address, as in 192.0.2.17", ipv4Address),
  gateway: needed("an IPv4 address, as in 192.0.2.1", ipv4Address),
  prefix_length: needed("a whole number from 1 to 32", whole(1, 32)),
});

export const NetworkSettings = section({
  ipv6_config: Ipv6Config,
  ipv4_config: z._default(z.nullable(Ipv4Config), null),
  domain_name: setting("a domain name, as in example.org", text(readDomain), null),
});

export const IcosSettings = section({
  node_reward_type: setting("the type of a node, as in type3.1", matching(/^type\d{1,3}(?:\.\d)?$/), null),
  /** Of the machine's BMC, in lower case with colons: the node's name and its computed addresses follow from it. */
  mgmt_mac: setting("a MAC address, as in b0:7b:25:c8:f6:c0", text(readMacAddress), null),
  deployment_environment: setting('"mainnet" or "testnet"', choice("mainnet", "testnet"), "unknown"),
  nns_urls: NnsUrls,
  node_operator_private_key: OperatorKey,
  enable_trusted_execution_environment: setting("true or false", flag, false),
  use_ssh_authorized_keys: setting("true or false", flag, false),
  icos_dev_settings: z.optional(z.unknown()),
  // Removed, and never used again.
  use_node_operator_private_key: z.optional(z.unknown()),
  use_nns_public_key: z.optional(z.unknown()),
  logging: z.optional(z.unknown()),
});

export const GuestosSettings = section({
  guestos_dev_settings: z.prefault(GuestosDevSettings, {}),
  engine_management_canister_id: setting(
    "the id of a canister, as in rdmx6-jaaaa-aaaaa-aaadq-cai",
    matching(/^[a-z2-7]{1,5}(?:-[a-z2-7]{1,5}){0,12}$/),
    null,
  ),
  // Removed, and never used again: what the medium brings is taken in.
  inject_ic_crypto: z.optional(z.unknown()),
  inject_ic_state: z.optional(z.unknown()),
  inject_ic_registry_local_store: z.optional(z.unknown()),
  recovery_hash: z.optional(z.unknown()),
});

/** Certificates are the longest texts in it. */
const TeeConfig = section({
  sev_cert_chain_pem: needed(
    "certificates in PEM",
    plain((found) => found.length <= 64 * 1024),
  ),
});
const RecoveryConfig = section({ recovery_hash: needed("the beginning of a sha256, in hexadecimal digits", matching(/^[\da-f]{1,64}$/i)) });

export const VERSION = /^(\d{1,6})\.(\d{1,6})\.\d{1,6}$/;
export const ConfigVersion = setting("a version, as in 1.17.0", matching(VERSION), "");

/**
 * config.json of a GuestOS, from its host: GuestOSConfig of dfinity/ic (rs/ic_os/config/types), versions 1.0 to 1.17. Each value has a
 * default, so the host may leave out any of them. Texts are in their canonical form (docs/configuration.md).
 */
export const GuestosConfig = section({
  config_version: ConfigVersion,
  network_settings: z.prefault(NetworkSettings, {}),
  icos_settings: z.prefault(IcosSettings, {}),
  guestos_settings: z.prefault(GuestosSettings, {}),
  /** `upgrade`: the VM that only takes over keys while the other one is upgraded. */
  guest_vm_type: setting('"default" or "upgrade"', choice("default", "upgrade"), "default"),
  upgrade_config: z.prefault(section({ peer_guest_vm_address: setting("an IPv6 address", ipv6Address, null) }), {}),
  trusted_execution_environment_config: z._default(z.nullable(TeeConfig), null),
  recovery_config: z._default(z.nullable(RecoveryConfig), null),
  hostos_settings: z.optional(z.unknown()),
});
export type GuestosConfig = z.infer<typeof GuestosConfig>;
