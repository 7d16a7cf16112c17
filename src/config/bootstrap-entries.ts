import { join } from "node:path";
import { Secret } from "../system/secret.ts";
import { parseAuthorizedKeys } from "./authorized-keys.ts";
import { parseBackupConf } from "./backup-conf.ts";
import type { Layout } from "./layout.ts";
import { parseFilebeatConf, parseJournalbeatConf } from "./log-shipping-conf.ts";
import { networkConfWarnings, parseNetworkConf } from "./network-conf.ts";
import { parseNnsConf } from "./nns-conf.ts";
import { checkOpaqueConf } from "./opaque-conf.ts";
import { checkPrivateKey, checkPublicKey } from "./pem.ts";
import { checkRulesetText } from "./ruleset-text.ts";

/** Throws a ProblemError on content that must not be stored; returns what is allowed and yet will not work. */
type Check = (content: Uint8Array, file: string) => readonly string[];

const KEYS_FOLDER = "accounts_ssh_authorized_keys";
export const CRYPTO_FOLDER = "ic_crypto";

/** Everything that may lie in ic-bootstrap.tar, by its name there (docs/configuration.md): what is not in these tables is never stored. */
const configFiles: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["network.conf", (content, file) => networkConfWarnings(parseNetworkConf(content, file))],
  ["nns.conf", quiet(parseNnsConf)],
  ["backup.conf", quiet(parseBackupConf)],
  ["journalbeat.conf", quiet(parseJournalbeatConf)],
  ["filebeat.conf", quiet(parseFilebeatConf)],
  ["log.conf", quiet(checkOpaqueConf)],
  ["socks_proxy.conf", quiet(checkOpaqueConf)],
  ["bitcoind_addr.conf", quiet(checkOpaqueConf)],
  ["jaeger_addr.conf", quiet(checkOpaqueConf)],
  ["query_stats.conf", quiet(checkOpaqueConf)],
  ["malicious_behavior.conf", quiet(checkOpaqueConf)],
  ["nftables.conf", quiet(checkRulesetText)],
  ...["admin", "backup", "readonly", "root"].map((account) => [`${KEYS_FOLDER}/${account}`, quiet(parseAuthorizedKeys)] as const),
]);

const dataFiles: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["nns_public_key.pem", quiet(checkPublicKey)],
  ["node_operator_private_key.pem", quiet((content, file) => checkPrivateKey(new Secret(content), file))],
]);

/** Where a tree is unpacked before it is put into place, on the file system that it goes to. */
export const STAGING = ".injection";

/** Names directly in /var/lib/ic/crypto that are the chain's own, or mkfs's. */
const RESERVED: readonly string[] = [STAGING, "lost+found"];

const dataTrees: readonly string[] = ["ic_registry_local_store", CRYPTO_FOLDER, "ic_state"];

export type BootstrapEntry =
  /** A file of the config partition. */
  | { readonly kind: "config"; readonly check: Check }
  /** A file below the data folder. */
  | { readonly kind: "data"; readonly check: Check; readonly target: string }
  /** Something in one of the trees; `target` is what is put into place as a whole. */
  | { readonly kind: "tree"; readonly target: string }
  /** A folder of the tar that only holds others. */
  | { readonly kind: "container" }
  | { readonly kind: "unknown" };

/** What an entry of that (normalised) name is. */
export function bootstrapEntry(name: string): BootstrapEntry {
  const config = configFiles.get(name);
  if (config !== undefined) return { kind: "config", check: config };
  const data = dataFiles.get(name);
  if (data !== undefined) return { kind: "data", check: data, target: name };
  // /var/lib/ic/crypto is a mount point and stays: what lies directly in ic_crypto is put into place one by one.
  if (name === KEYS_FOLDER || name === CRYPTO_FOLDER) return { kind: "container" };
  const [root = "", child = ""] = name.split("/");
  if (!dataTrees.includes(root) || (root === CRYPTO_FOLDER && RESERVED.includes(child))) return { kind: "unknown" };
  return { kind: "tree", target: root === CRYPTO_FOLDER ? `${root}/${child}` : root };
}

/** The names of all files that the config partition may take from a tar. */
export const configEntries: readonly string[] = [...configFiles.keys()];

/** Every top-level name that may be given to the medium's builder. */
export const topLevelEntries: readonly string[] = [
  ...new Set([...configFiles.keys(), ...dataFiles.keys(), ...dataTrees].map((name) => name.split("/")[0] ?? "")),
];

/** Where an entry of the config partition goes. */
export function configTarget(layout: Layout, name: string): string {
  const [folder, account] = name.split("/");
  return folder === KEYS_FOLDER && account !== undefined ? join(layout.config.accountKeys, account) : join(layout.mountPoints.config, name);
}

/** Where a target below /var/lib/ic goes. */
export function dataTarget(layout: Layout, target: string): string {
  const [folder, child] = target.split("/");
  return folder === CRYPTO_FOLDER && child !== undefined ? join(layout.mountPoints.crypto, child) : join(layout.mountPoints.data, target);
}

function quiet(parse: (content: Uint8Array, file: string) => unknown): Check {
  return (content, file) => {
    parse(content, file);
    return [];
  };
}
