import type { Finding } from "../../base/finding.ts";
import type { Problem } from "../../base/problem.ts";
import { readEntries } from "../text/conf.ts";
import { type IniFile, scanIni } from "../text/ini.ts";
import { shownText } from "../text/shown-text.ts";
import { ConfigIni, type KeyFinding } from "./config-ini-keys.ts";
import { networkFindings } from "./network-rules.ts";

const KEYS = Object.keys(ConfigIni.shape);

/** What was read of a config.ini. */
export interface ConfigIniFile {
  /** The usable values. */
  readonly config: ConfigIni;
  readonly findings: readonly Finding[];
  /** What is taken, and may not be what was meant, or is not taken by an installer of another time. */
  readonly warnings: readonly Problem[];
  /** Makes one more mistake of a key. */
  readonly finding: KeyFinding;
}

/** @throws ProblemError when nothing can be said of its lines: it is too long, or in UTF-16 */
export function scanConfigIni(content: Uint8Array, file: string): ConfigIniFile {
  const ini = scanIni(content, file, KEYS);
  const { conf: config, findings, finding } = readEntries(ini.entries, ini.findings, ConfigIni, shownText);
  const isThere = (key: string): boolean => ini.named.has(key);
  const missing = REQUIRED.filter(([key]) => !isThere(key)).map(([key, expected, todo]): Finding => {
    return { line: 1, column: 1, code: "setting-missing", what: `no line sets ${key}`, found: "no such line", expected, todo };
  });
  const partial = IPV4.some(isThere) && !IPV4.every(isThere) ? [ipv4Incomplete(IPV4.filter(isThere), ini.named)] : [];
  const placed = (key: string, warning: Omit<Problem, "where">): Problem => {
    const { line = 1, column = 1 } = ini.entries.find((entry) => entry.key === key) ?? {};
    return { ...warning, where: { file, line, column } };
  };
  const network = networkFindings(config, finding);
  return {
    config,
    findings: [...findings, ...missing, ...partial, ...network.findings, ...teeFindings(config, finding)],
    warnings: [
      ...ini.warnings.map(({ line, column, ...warning }) => ({ ...warning, where: { file, line, column } })),
      ...network.warnings.map(({ key, ...warning }) => placed(key, warning)),
      ...(config.ipv4_address !== undefined && !isThere("domain") ? [placed("ipv4_address", NO_DOMAIN)] : []),
      ...(config.ipv6_subnet === undefined ? [] : [placed("ipv6_subnet", OLD_KEY)]),
    ],
    finding,
  };
}

const NO_DOMAIN: Problem = { code: "domain-missing", what: "the node has IPv4 and no domain: one with IPv4 needs both" };
const OLD_KEY: Problem = {
  code: "key-of-the-past",
  what: "only installers of 2022 and 2023 read ipv6_subnet",
  expected: "no such line: the length is always 64",
};

const REQUIRED: readonly (readonly [key: keyof ConfigIni, expected: string, todo: string])[] = [
  ["ipv6_prefix", "ipv6_prefix=2602:ffe4:801:17", "ask the data centre for the node's IPv6 network of 64 bits"],
  ["ipv6_gateway", "ipv6_gateway=2602:ffe4:801:17::1", "ask the data centre for the gateway of the node's IPv6 network"],
  [
    "node_reward_type",
    "node_reward_type=type3.1",
    "write the type that is registered for this kind of node: without it the installer stops, and older ones install a node without rewards",
  ],
];

const IPV4 = ["ipv4_address", "ipv4_gateway", "ipv4_prefix_length"] as const;

/** The installer takes all three, or says nothing of it and installs a node without IPv4. */
function ipv4Incomplete(there: readonly (typeof IPV4)[number][], named: IniFile["named"]): Finding {
  const [{ line, column } = { line: 1, column: 1 }] = there.flatMap((key) => named.get(key) ?? []).toSorted((a, b) => a.line - b.line);
  const missing = IPV4.filter((key) => !there.includes(key)).join(" and ");
  return {
    ...{ line, column },
    code: "ipv4-partial",
    what: "the settings of IPv4 are not complete",
    found: `${there.join(" and ")} alone`,
    expected: `${missing} beside it, or none of the three`,
    todo: "add what is missing: the node would have no IPv4",
  };
}

function teeFindings(
  { enable_trusted_execution_environment: isOn, node_reward_type: type }: ConfigIni,
  finding: KeyFinding,
): readonly Finding[] {
  if (isOn !== true || type === undefined || type.startsWith("type3")) return [];
  const expected = `false, or no such line: a machine of ${type} has no trusted execution environment, those of type3 have`;
  return [finding("enable_trusted_execution_environment", expected)];
}
