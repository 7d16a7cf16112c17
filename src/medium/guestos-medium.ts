import { Secret } from "../base/secret.ts";
import { parseBackupConf } from "../config/backup-conf.ts";
import { accountFiles, networkFiles } from "./common-medium.ts";
import { parseFilebeatConf, parseJournalbeatConf } from "../config/log-shipping-conf.ts";
import { type ConfigFile, type MediumContents, quiet } from "./medium-contents.ts";
import { checkOpaqueConf } from "../config/opaque-conf.ts";
import { checkPrivateKey, checkPublicKey } from "../config/values/pem.ts";
import { checkRulesetText } from "../config/ruleset-text.ts";

const CRYPTO_FOLDER = "ic_crypto";

const opaque: ConfigFile = { check: quiet(checkOpaqueConf) };

/** The medium of a GuestOS. Its keys and state go to the volumes below /var/lib/ic. */
export const guestosMedium: MediumContents = {
  configFiles: new Map<string, ConfigFile>([
    ...networkFiles,
    ["backup.conf", { check: quiet(parseBackupConf) }],
    ["journalbeat.conf", { check: quiet(parseJournalbeatConf) }],
    ["filebeat.conf", { check: quiet(parseFilebeatConf) }],
    ["log.conf", opaque],
    ["socks_proxy.conf", opaque],
    ["bitcoind_addr.conf", opaque],
    ["jaeger_addr.conf", opaque],
    ["query_stats.conf", opaque],
    ["malicious_behavior.conf", opaque],
    ["nftables.conf", { check: quiet(checkRulesetText) }],
    ...accountFiles,
  ]),
  dataFiles: new Map([
    ["nns_public_key.pem", quiet(checkPublicKey)],
    ["node_operator_private_key.pem", quiet((content, file) => checkPrivateKey(new Secret(content), file))],
  ]),
  trees: ["ic_registry_local_store", CRYPTO_FOLDER, "ic_state"],
  home: (layout) => layout.mountPoints.data,
  mounted: new Map([[CRYPTO_FOLDER, (layout) => layout.mountPoints.crypto]]),
  owner: "ic-replica",
  isSecret: (target) => target === "node_operator_private_key.pem" || target.startsWith(`${CRYPTO_FOLDER}/`),
};
