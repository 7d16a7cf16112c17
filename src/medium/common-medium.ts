import { parseAuthorizedKeys } from "../config/values/authorized-keys.ts";
import { type ConfigFile, KEYS_FOLDER, quiet } from "./medium-contents.ts";
import { checkNetworkConf, parseNetworkConf } from "../config/network-conf.ts";
import { nnsConfWarnings } from "../config/nns-conf.ts";

type Named = readonly [name: string, file: ConfigFile];

/** The node's own network settings, and the URLs of its network's registry: every profile's medium may hold these files. */
export const networkFiles: readonly Named[] = [
  ["network.conf", { check: checkNetworkConf, strict: parseNetworkConf }],
  ["nns.conf", { check: nnsConfWarnings }],
];

/** The ssh keys of the accounts that every profile has. */
export const accountFiles: readonly Named[] = ["admin", "backup", "readonly", "root"].map(accountFile);

/** The ssh keys of an account. */
export function accountFile(account: string): Named {
  return [`${KEYS_FOLDER}/${account}`, { check: quiet(parseAuthorizedKeys) }];
}
