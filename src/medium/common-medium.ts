import { parseAuthorizedKeys } from "../config/values/authorized-keys.ts";
import { type ConfigFile, KEYS_FOLDER, quiet } from "./medium-contents.ts";
import { networkConfWarnings, parseNetworkConfOfMedium } from "../config/network-conf.ts";
import { parseNnsConf } from "../config/nns-conf.ts";

type Named = readonly [name: string, file: ConfigFile];

/** Where a node is, and where its network: every profile's medium may hold these. */
export const networkFiles: readonly Named[] = [
  ["network.conf", { check: (content, file) => networkConfWarnings(parseNetworkConfOfMedium(content, file)) }],
  ["nns.conf", { check: quiet(parseNnsConf) }],
];

/** Who may log in. */
export const accountFiles: readonly Named[] = ["admin", "backup", "readonly", "root"].map((account) => [
  `${KEYS_FOLDER}/${account}`,
  { check: quiet(parseAuthorizedKeys) },
]);
