import { type Finding, findingText } from "../base/finding.ts";
import { oneLine, ProblemError } from "../base/problem.ts";
import { Secret } from "../base/secret.ts";
import { parseBackupConf } from "../config/backup-conf.ts";
import { GUESTOS_CONFIG_BOUNDS, parseGuestosConfig, scanGuestosConfig } from "../config/guestos-config.ts";
import { accountFile, accountFiles, networkFiles } from "./common-medium.ts";
import { parseFilebeatConf, parseJournalbeatConf } from "../config/log-shipping-conf.ts";
import { type Check, type ConfigFile, type MediumContents, quiet, type Taken } from "./medium-contents.ts";
import { scanNetworkConf } from "../config/network-conf.ts";
import { checkPrivateKey, checkPublicKey } from "../config/values/pem.ts";
import { checkRulesetText } from "../config/ruleset-text.ts";
import { sideBySide } from "./side-by-side.ts";
import { parseKeyValue, scanKeyValue } from "../config/text/key-value.ts";

const CRYPTO_FOLDER = "ic_crypto";

/** The name of the operator's key among the data. */
const OPERATOR_KEY = "node_operator_private_key.pem";

/** A file that is only passed on to the node software, which knows its keys: lines with a mistake are left out. */
const opaque: ConfigFile = {
  check: quiet(parseKeyValue),
  take(content, file) {
    const { findings } = scanKeyValue(content, file);
    const wrong = new Set(findings.map(({ line }) => line));
    const lines = Buffer.from(content).toString("latin1").split("\n");
    const kept = findings.length === 0 ? content : Buffer.from(lines.filter((_, index) => !wrong.has(index + 1)).join("\n"), "latin1");
    return { content: kept, warnings: [...inOrder(findings).map(findingText), ...withoutValue(content, file)] };
  },
};

const networkConf: Pick<ConfigFile, "take"> = {
  take(content, file) {
    const { malformed, unusable, warnings } = scanNetworkConf(content, file);
    return { content, warnings: [...inOrder([...malformed, ...unusable]).map(findingText), ...warnings, ...withoutValue(content, file)] };
  },
};

/** A file whose mistakes the unit that reads it reports, and does without what it needs of them. */
function readLater(check: Check, isKeyValue: boolean): Pick<ConfigFile, "take"> {
  return {
    take: (content, file) => ({
      content,
      warnings: [...mistakes(check, content, file), ...(isKeyValue ? withoutValue(content, file) : [])],
    }),
  };
}

function mistakes(check: Check, content: Uint8Array, file: string): readonly string[] {
  try {
    return check(content, file);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    const { where: { line, column } = {}, ...problem } = error.problem;
    return [`${line === undefined ? "" : `line ${line}, column ${column}: `}${oneLine(problem)}`];
  }
}

function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

/** Keys that stand there without a value, as hosts write them that have none. */
function withoutValue(content: Uint8Array, file: string): readonly string[] {
  const empty = scanKeyValue(content, file).entries.filter(({ value }) => value === "");
  return empty.map(({ key, line }) => `line ${line}: ${key} has no value, and counts as absent`);
}

/** A file of the old kind, whose mistakes a node takes as notes. */
function conf(check: Check): ConfigFile {
  return { check, ...readLater(check, true) };
}

/** GuestOSConfig: without the operator's key, which is stored by itself. */
const guestosConfig: ConfigFile = {
  strict: parseGuestosConfig,
  check: (content, file) => scanGuestosConfig(content, file).notes,
  take(content, file): Taken {
    const { config, findings, notes, text } = scanGuestosConfig(content, file);
    const key = config.icos_settings.node_operator_private_key;
    return {
      content: Buffer.from(text),
      warnings: [...findings.map(findingText), ...notes],
      data: new Map(key === null ? [] : [[OPERATOR_KEY, key]]),
    };
  },
  longest: GUESTOS_CONFIG_BOUNDS.longest,
  mode: 0o600,
};

/** The medium of a GuestOS. Its keys and state go to the volumes below /var/lib/ic. */
export const guestosMedium: MediumContents = {
  configFiles: new Map<string, ConfigFile>([
    ...networkFiles.map(
      ([name, file]) => [name, { ...file, ...(name === "network.conf" ? networkConf : readLater(file.check, false)) }] as const,
    ),
    ["backup.conf", conf(quiet(parseBackupConf))],
    ["journalbeat.conf", conf(quiet(parseJournalbeatConf))],
    ["filebeat.conf", conf(quiet(parseFilebeatConf))],
    ["log.conf", opaque],
    ["socks_proxy.conf", opaque],
    ["bitcoind_addr.conf", opaque],
    ["jaeger_addr.conf", opaque],
    ["query_stats.conf", opaque],
    ["malicious_behavior.conf", opaque],
    // What some hosts call it, and one more that they write.
    ["bitcoin_addr.conf", opaque],
    ["reward.conf", opaque],
    ["config.json", guestosConfig],
    // A ruleset without one of its lines might let in more: it is taken as a whole, or not at all.
    [
      "nftables.conf",
      { check: quiet(checkRulesetText), take: (content, file) => ({ content, warnings: quiet(checkRulesetText)(content, file) }) },
    ],
    ...[...accountFiles, accountFile("recovery")].map(([name, file]) => [name, { ...file, ...readLater(file.check, false) }] as const),
  ]),
  dataFiles: new Map([
    ["nns_public_key.pem", quiet(checkPublicKey)],
    [OPERATOR_KEY, quiet((content, file) => checkPrivateKey(new Secret(content), file))],
  ]),
  trees: ["ic_registry_local_store", CRYPTO_FOLDER, "ic_state"],
  home: (layout) => layout.mountPoints.data,
  mounted: new Map([[CRYPTO_FOLDER, (layout) => layout.mountPoints.crypto]]),
  owner: "ic-replica",
  compare: sideBySide,
  isSecret: (target) => target === OPERATOR_KEY || target.startsWith(`${CRYPTO_FOLDER}/`),
};
