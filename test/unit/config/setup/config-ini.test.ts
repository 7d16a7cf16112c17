import fc from "fast-check";
import { expect, test } from "vitest";
import { ProblemError } from "../../../../src/base/problem.ts";
import { type ConfigIniFile, scanConfigIni } from "../../../../src/config/setup/config-ini.ts";
import type { ConfigIni } from "../../../../src/config/setup/config-ini-keys.ts";
import { LONGEST_TEXT } from "../../../../src/config/text/text-lines.ts";
import { OPENSSH, PKCS8, SEC1, shownPieces } from "../../../support/private-keys.ts";
import { problemOf } from "../../../support/problem-of.ts";

const scan = (content: string | Uint8Array): ConfigIniFile => scanConfigIni(Buffer.from(content), "config.ini");

/** Three lines that every node needs. */
const PREFIX = "ipv6_prefix=2602:ffe4:801:17";
const GATEWAY = "ipv6_gateway=2602:ffe4:801:17::1";
const TYPE = "node_reward_type=type3.1";
const BASE = `${PREFIX}\n${GATEWAY}\n${TYPE}\n`;
const IPV4 = "ipv4_address=212.71.124.178\nipv4_gateway=212.71.124.177\nipv4_prefix_length=28\ndomain=node1.example.org\n";
const base = {
  ipv6_prefix: "2602:ffe4:801:17",
  ipv6_gateway: "2602:ffe4:801:17::1",
  node_reward_type: "type3.1",
} as const satisfies ConfigIni;
const ipv4 = { ipv4_address: "212.71.124.178", ipv4_gateway: "212.71.124.177", ipv4_prefix_length: 28, domain: "node1.example.org" };

/** The three lines, with other ones in the place of those. */
const withPrefix = (line: string): string => `${line}\n${GATEWAY}\n${TYPE}\n`;
const withGateway = (line: string): string => `${PREFIX}\n${line}\n${TYPE}\n`;
const withType = (line: string): string => `${PREFIX}\n${GATEWAY}\n${line}\n`;
const withIpv4 = (address: string, gateway: string, length: string): string =>
  `${BASE}ipv4_address=${address}\nipv4_gateway=${gateway}\nipv4_prefix_length=${length}\ndomain=node1.example.org\n`;
const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, "utf16le");

/** What is read of a file without a mistake, and its warnings by place and code. */
const good: readonly (readonly [title: string, text: string, config: ConfigIni, ...warnings: readonly string[]])[] = [
  ["what every node needs", BASE, base],
  ["all that there is", `${BASE}${IPV4}verbose=false\n`, { ...base, ...ipv4, verbose: false }],
  ["the last line without a line end", BASE.trimEnd(), base],
  ["the line ends of Windows", BASE.replaceAll("\n", "\r\n"), base],
  ["the last line ends with a carriage return", `${BASE.trimEnd()}\r`, base],
  ["empty lines, and lines of blanks", `\n\n \t\n${BASE}\n\n`, base],
  ["comments on lines of their own", `# a\n${PREFIX}\n; b\n${GATEWAY}\n   # c\n${TYPE}\n#`, base],
  ["a comment with = and quotes in it", `# ipv6_prefix="x" # y\n${BASE}`, base],
  ["a comment in another language", `# Netz für 節點\n${BASE}`, base],
  ["keys in capitals", BASE.replace("ipv6_prefix", "IPV6_PREFIX").replace("node_", "Node_"), base],
  ["the prefix in capitals", withPrefix("ipv6_prefix=2602:FFE4:801:17"), base],
  ["zeros before the digits of a group", withPrefix("ipv6_prefix=2602:ffe4:0801:0017"), base],
  [
    "a group of zeros",
    withPrefix("ipv6_prefix=2602:ffe4:801:0").replace(":17::1", ":0::1"),
    { ...base, ipv6_prefix: "2602:ffe4:801:0", ipv6_gateway: "2602:ffe4:801::1" },
  ],
  ["the gateway written in full", withGateway("ipv6_gateway=2602:FFE4:0801:0017:0000:0000:0000:0001"), base],
  [
    "the gateway at the last address",
    withGateway("ipv6_gateway=2602:ffe4:801:17:ffff:ffff:ffff:ffff"),
    { ...base, ipv6_gateway: "2602:ffe4:801:17:ffff:ffff:ffff:ffff" },
  ],
  ["a gateway on the link", withGateway("ipv6_gateway=fe80::1"), { ...base, ipv6_gateway: "fe80::1" }],
  ["the type of a first machine", withType("node_reward_type=type0"), { ...base, node_reward_type: "type0" }],
  ["the type of an old machine", withType("node_reward_type=type1.1"), { ...base, node_reward_type: "type1.1" }],
  ["a type without a digit behind a dot", withType("node_reward_type=type3"), { ...base, node_reward_type: "type3" }],
  ["the type of a cloud engine", withType("node_reward_type=type4.3"), { ...base, node_reward_type: "type4.3" }],
  ["verbose", `${BASE}verbose=true\n`, { ...base, verbose: true }],
  [
    "trusted execution on a machine that has it",
    `${BASE}enable_trusted_execution_environment=true\n`,
    { ...base, enable_trusted_execution_environment: true },
  ],
  [
    "no trusted execution on another machine",
    `${withType("node_reward_type=type1")}enable_trusted_execution_environment=false\n`,
    { ...base, node_reward_type: "type1", enable_trusted_execution_environment: false },
  ],
  ["the domain in capitals", `${BASE}domain=Node1.Example.ORG\n`, { ...base, domain: "node1.example.org" }],
  ["a domain without IPv4", `${BASE}domain=a.b\n`, { ...base, domain: "a.b" }],
  [
    "a network of two machines",
    withIpv4("212.71.124.178", "212.71.124.179", "31"),
    { ...base, ...ipv4, ipv4_gateway: "212.71.124.179", ipv4_prefix_length: 31 },
  ],
  // What is taken, and told.
  ["a file of 2022", `${BASE}ipv6_subnet=/64\n`, { ...base, ipv6_subnet: "/64" }, "4:13 key-of-the-past"],
  ["blanks around =", BASE.replace("=", " = "), base, "1:1 blanks-in-line"],
  ["a blank before a key", ` ${BASE}`, base, "1:1 blanks-in-line"],
  ["a blank behind a value", `${BASE.trimEnd()} \n`, base, "3:1 blanks-in-line"],
  ["a tab behind =", BASE.replace("=", "=\t"), base, "1:1 blanks-in-line"],
  ["a blank that does not break", BASE.replace("=", "=\u00a0"), base, "1:1 blanks-in-line"],
  ["blanks in every line are told of once", BASE.replaceAll("=", " = "), base, "1:1 blanks-in-line"],
  ["a section", `[node]\n${BASE}`, base, "1:1 section-ignored"],
  ["two sections", `[a]\n${PREFIX}\n [b]\n${GATEWAY}\n${TYPE}\n`, base, "1:1 section-ignored", "3:2 section-ignored"],
  ["a key of another program", `${BASE}hostname=node7\n`, base, "4:1 unknown-key"],
  ["a key of another version", `${BASE}enable_beta_registration_feature=true\n`, base, "4:1 unknown-key"],
  [
    "a network for documentation",
    "ipv6_prefix=2001:db8:0:17\nipv6_gateway=2001:db8:0:17::1\nnode_reward_type=type3.1",
    { ...base, ipv6_prefix: "2001:db8:0:17", ipv6_gateway: "2001:db8:0:17::1" },
    "1:13 network-not-public",
  ],
  [
    "a private network of IPv6",
    "ipv6_prefix=fd00:1:2:3\nipv6_gateway=fd00:1:2:3::1\nnode_reward_type=type3.1",
    { ...base, ipv6_prefix: "fd00:1:2:3", ipv6_gateway: "fd00:1:2:3::1" },
    "1:13 network-not-public",
  ],
  [
    "a private address of IPv4",
    withIpv4("192.168.0.17", "192.168.0.1", "24"),
    { ...base, ...ipv4, ipv4_address: "192.168.0.17", ipv4_gateway: "192.168.0.1", ipv4_prefix_length: 24 },
    "4:14 network-not-public",
  ],
  [
    "the address of the whole network",
    withIpv4("212.71.124.176", "212.71.124.177", "28"),
    { ...base, ...ipv4, ipv4_address: "212.71.124.176" },
    "4:14 setting-doubtful",
  ],
  [
    "the address of all in the network",
    withIpv4("212.71.124.191", "212.71.124.177", "28"),
    { ...base, ...ipv4, ipv4_address: "212.71.124.191" },
    "4:14 setting-doubtful",
  ],
  [
    "IPv4 without a domain",
    withIpv4("212.71.124.178", "212.71.124.177", "28").replace(/domain.*\n/, ""),
    { ...base, ipv4_address: "212.71.124.178", ipv4_gateway: "212.71.124.177", ipv4_prefix_length: 28 },
    "4:14 domain-missing",
  ],
];

test.each(good.map(([title, text, config, ...warnings]) => ({ title, text, config, warnings })))("$title: no mistake", (row) => {
  const { config, findings, warnings } = scan(row.text);
  expect(findings).toEqual([]);
  expect(config).toEqual(row.config);
  expect(warnings.map(({ where, code }) => `${where?.line}:${where?.column} ${code}`)).toEqual(row.warnings);
});

/** The mistakes of a file by place and code, in the order of their places. */
const bad: readonly (readonly [title: string, text: string | Uint8Array, ...mistakes: readonly string[]])[] = [
  // The file itself.
  ["an empty file", "", "1:1 setting-missing", "1:1 setting-missing", "1:1 setting-missing"],
  ["comments alone", "# ipv6_prefix=\n", "1:1 setting-missing", "1:1 setting-missing", "1:1 setting-missing"],
  ["a byte order mark", `\ufeff${BASE}`, "1:1 byte-order-mark"],
  ["a byte order mark before a comment", `\ufeff# a\n${BASE}`, "1:1 byte-order-mark"],
  ["the line ends of an old Mac", BASE.replaceAll("\n", "\r"), "1:1 carriage-return-alone"],
  ["one carriage return in the middle", BASE.replace(":17\n", ":17\rverbose=true\n"), "1:1 carriage-return-alone"],
  ["two carriage returns at an end", BASE.replace(":801:17\n", ":801:17\r\r\n"), "1:1 carriage-return-alone"],
  ["a carriage return alone further down", `# a\r\n#\n${PREFIX}\r${GATEWAY}\n${TYPE}\n`, "3:1 carriage-return-alone"],
  ["bytes that are not UTF-8", Buffer.from(`# caf\xe9\n${BASE}`, "latin1"), "1:6 line-not-text"],
  ["a control character", `${BASE}# a\u001bb\n`, "4:4 control-character"],
  [
    "a character that turns the direction of writing",
    withPrefix("ipv6_prefix=2602:ffe4:801\u202e:17"),
    "1:1 setting-missing",
    "1:26 control-character",
  ],
  // Lines.
  ["no =", `${BASE}verbose\n`, "4:1 line-without-equals"],
  ["a colon in the place of =", withGateway("ipv6_gateway: 2602:ffe4:801:17::1"), "2:1 line-without-equals"],
  ["a blank in the place of =", withType("node_reward_type type3.1"), "3:1 line-without-equals"],
  ["no key", `${BASE}=true\n`, "4:1 line-without-key"],
  ["an assignment of a shell", withPrefix(`export ${PREFIX}`), "1:1 line-without-key"],
  ["a key with a hyphen", `${BASE}verb-ose=true\n`, "4:1 line-without-key"],
  ["a list with a bullet", `${BASE}- verbose=true\n`, "4:1 line-without-key"],
  ["a section that does not end", `[node\n${BASE}`, "1:1 section-damaged"],
  ["a comment behind a section", `[node] # a\n${BASE}`, "1:1 section-damaged"],
  ["a typing error in a key", withPrefix("ipv6_prefx=2602:ffe4:801:17"), "1:1 unknown-key"],
  ["one in a key that no node needs", `${BASE}${IPV4.replace("address", "adress")}`, "4:1 unknown-key"],
  ["a key twice", `${BASE}${GATEWAY}\n`, "4:1 key-twice"],
  ["a key twice with other values", `${BASE}verbose=true\nverbose=false\n`, "5:1 key-twice"],
  ["a key in two spellings", `${BASE}Ipv6_Prefix=2602:ffe4:801:18\n`, "4:1 key-twice"],
  ["a key in two sections", `[a]\n${BASE}[b]\n${TYPE}\n`, "6:1 key-twice"],
  ["a comment behind a value", withGateway(`${GATEWAY} # of the rack`), "2:34 comment-behind-value"],
  ["a comment right behind a value", withType(`${TYPE}#`), "3:25 comment-behind-value"],
  ["quotes", withPrefix('ipv6_prefix="2602:ffe4:801:17"'), "1:13 quotes-in-value"],
  ["single quotes", withPrefix("ipv6_prefix='2602:ffe4:801:17'"), "1:13 quotes-in-value"],
  ["one quote", withPrefix('ipv6_prefix=2602:ffe4:801:17"'), "1:29 quotes-in-value"],
  ["quotes and a comment", withPrefix("ipv6_prefix='2602:ffe4:801:17' # a"), "1:13 quotes-in-value", "1:32 comment-behind-value"],
  ["quotes of a word processor", withPrefix("ipv6_prefix=“2602:ffe4:801:17”"), "1:13 value-not-usable"],
  ["a comment of another kind behind a value", withType(`${TYPE} ; a`), "3:18 value-not-usable"],
  ["no value", `${BASE}verbose=\n`, "4:9 value-missing"],
  ["a comment in the place of a value", `${BASE}domain= # later\n`, "4:8 value-missing"],
  ["quotes with nothing in them", `${BASE}domain=""\n`, "4:8 value-missing"],
  ["no value of a key that each node needs", withType("node_reward_type="), "3:18 value-missing"],
  [
    "three keys without values, as in a template",
    `${BASE}ipv4_address=\nipv4_gateway=\nipv4_prefix_length=\n`,
    "4:14 value-missing",
    "5:14 value-missing",
    "6:20 value-missing",
  ],
  // Keys that each node needs.
  ["no prefix", `${GATEWAY}\n${TYPE}\n`, "1:1 setting-missing"],
  ["no gateway", `${PREFIX}\n${TYPE}\n`, "1:1 setting-missing"],
  ["no type", `${PREFIX}\n${GATEWAY}\n`, "1:1 setting-missing"],
  ["a type that is commented out, as in the template", `${PREFIX}\n${GATEWAY}\n# ${TYPE}\n`, "1:1 setting-missing"],
  // The prefix.
  ["a prefix with :: at its end", withPrefix(`${PREFIX}::`), "1:13 value-not-usable"],
  ["a prefix with a colon at its end", withPrefix(`${PREFIX}:`), "1:13 value-not-usable"],
  ["a prefix with a length", withPrefix(`${PREFIX}::/64`), "1:13 value-not-usable"],
  ["a prefix of three groups", withPrefix("ipv6_prefix=2602:ffe4:801"), "1:13 value-not-usable"],
  ["a prefix of one group", withPrefix("ipv6_prefix=2602"), "1:13 value-not-usable"],
  ["a prefix of five groups", withPrefix(`${PREFIX}:1`), "1:13 value-not-usable"],
  ["a whole address", withPrefix("ipv6_prefix=2602:ffe4:801:17:6801:ff:feec:bd51"), "1:13 value-not-usable"],
  ["a prefix with :: in it", withPrefix("ipv6_prefix=2602::17"), "1:13 value-not-usable"],
  ["a group of five digits", withPrefix("ipv6_prefix=2602:ffe4:801:00017"), "1:13 value-not-usable"],
  ["a letter that is no digit", withPrefix("ipv6_prefix=2602:ffe4:801:1g"), "1:13 value-not-usable"],
  ["the letter O for a zero", withPrefix("ipv6_prefix=2602:ffe4:8O1:17"), "1:13 value-not-usable"],
  ["a prefix of the link", "ipv6_prefix=fe80:0:0:0\nipv6_gateway=fe80::1\nnode_reward_type=type3", "1:13 value-not-usable"],
  ["a prefix of groups of machines", withPrefix("ipv6_prefix=ff02:0:0:1"), "1:13 value-not-usable"],
  ["a prefix of zeros", withPrefix("ipv6_prefix=0:0:0:0"), "1:13 value-not-usable"],
  ["a prefix of IPv4", withPrefix("ipv6_prefix=212.71.124.0"), "1:13 value-not-usable"],
  ["words", withPrefix("ipv6_prefix=ask the data centre"), "1:13 value-not-usable"],
  // The gateway of IPv6.
  ["a gateway with a length", withGateway("ipv6_gateway=2602:ffe4:801:17::1/64"), "2:14 value-not-usable"],
  ["a gateway with a zone", withGateway("ipv6_gateway=fe80::1%eth0"), "2:14 value-not-usable"],
  ["a gateway in brackets", withGateway("ipv6_gateway=[2602:ffe4:801:17::1]"), "2:14 value-not-usable"],
  ["a gateway of IPv4", withGateway("ipv6_gateway=212.71.124.177"), "2:14 value-not-usable"],
  ["a gateway that is this machine", withGateway("ipv6_gateway=::1"), "2:14 value-not-usable"],
  ["a gateway that is many machines", withGateway("ipv6_gateway=ff02::2"), "2:14 value-not-usable"],
  ["a gateway without an end", withGateway("ipv6_gateway=2602:ffe4:801:17"), "2:14 value-not-usable"],
  ["two gateways", withGateway("ipv6_gateway=2602:ffe4:801:17::1,2602:ffe4:801:17::2"), "2:14 value-not-usable"],
  ["a gateway in another network", withGateway("ipv6_gateway=2602:ffe4:801:18::1"), "2:14 gateway-outside-network"],
  ["a gateway in a network that is nearly the same", withGateway("ipv6_gateway=2602:ffe4:810:17::1"), "2:14 gateway-outside-network"],
  // IPv4.
  ["an address alone", `${BASE}ipv4_address=212.71.124.178\ndomain=a.b\n`, "4:1 ipv4-partial"],
  ["no address", `${BASE}ipv4_prefix_length=28\nipv4_gateway=212.71.124.177\n`, "4:1 ipv4-partial"],
  ["no gateway of IPv4", `${BASE}ipv4_prefix_length=28\nipv4_address=212.71.124.177\ndomain=a.b\n`, "4:1 ipv4-partial"],
  ["a length with a slash", withIpv4("212.71.124.178", "212.71.124.177", "/28"), "6:20 value-not-usable"],
  ["a mask", withIpv4("212.71.124.178", "212.71.124.177", "255.255.255.240"), "6:20 value-not-usable"],
  ["a length of 0", withIpv4("212.71.124.178", "212.71.124.177", "0"), "6:20 value-not-usable"],
  ["a length of 33", withIpv4("212.71.124.178", "212.71.124.177", "33"), "6:20 value-not-usable"],
  ["a length with a sign", withIpv4("212.71.124.178", "212.71.124.177", "+28"), "6:20 value-not-usable"],
  ["a length with a zero before it", withIpv4("212.71.124.178", "212.71.124.177", "08"), "6:20 value-not-usable"],
  ["an address with a length", withIpv4("212.71.124.178/28", "212.71.124.177", "28"), "4:14 value-not-usable"],
  ["an address of three numbers", withIpv4("212.71.124", "212.71.124.177", "28"), "4:14 value-not-usable"],
  ["a number of 256", withIpv4("212.71.124.256", "212.71.124.177", "28"), "4:14 value-not-usable"],
  ["numbers with zeros before them", withIpv4("212.071.124.178", "212.71.124.177", "28"), "4:14 value-not-usable"],
  ["an address of IPv6", withIpv4("2602:ffe4:801:17::9", "212.71.124.177", "28"), "4:14 value-not-usable"],
  ["the address of this machine", withIpv4("127.0.0.1", "212.71.124.177", "28"), "4:14 value-not-usable"],
  ["an address of the link", withIpv4("169.254.1.1", "169.254.1.2", "16"), "4:14 value-not-usable"],
  ["a gateway of IPv4 in another network", withIpv4("212.71.124.178", "212.71.124.193", "28"), "5:14 gateway-outside-network"],
  ["a network of one machine", withIpv4("212.71.124.178", "212.71.124.177", "32"), "5:14 gateway-outside-network"],
  ["a gateway that is the node", withIpv4("212.71.124.178", "212.71.124.178", "28"), "5:14 value-not-usable"],
  ["a gateway that is all machines", withIpv4("212.71.124.178", "212.71.124.191", "28"), "5:14 value-not-usable"],
  // Names, types and switches.
  ["a domain without a dot", `${BASE}domain=node1\n`, "4:8 value-not-usable"],
  ["a domain with a dot at its end", `${BASE}domain=example.org.\n`, "4:8 value-not-usable"],
  ["a domain that begins with a hyphen", `${BASE}domain=-a.example.org\n`, "4:8 value-not-usable"],
  ["a domain with an underscore", `${BASE}domain=node_1.example.org\n`, "4:8 value-not-usable"],
  ["a label of 64 letters", `${BASE}domain=${"a".repeat(64)}.org\n`, "4:8 value-not-usable"],
  ["an address in the place of a domain", `${BASE}domain=212.71.124.178\n`, "4:8 value-not-usable"],
  ["a web address in the place of a domain", `${BASE}domain=https://example.org\n`, "4:8 value-not-usable"],
  ["a domain that is this machine", `${BASE}domain=a.localhost\n`, "4:8 value-not-usable"],
  ["a type in capitals", withType("node_reward_type=Type3.1"), "3:18 value-not-usable"],
  ["a type without its word", withType("node_reward_type=3.1"), "3:18 value-not-usable"],
  ["a type with two digits behind the dot", withType("node_reward_type=type3.10"), "3:18 value-not-usable"],
  ["a type that there is not", withType("node_reward_type=type2"), "3:18 value-not-usable"],
  ["a type that only begins as one", withType("node_reward_type=type31"), "3:18 value-not-usable"],
  ["a switch in capitals", `${BASE}verbose=True\n`, "4:9 value-not-usable"],
  ["a switch of another language", `${BASE}verbose=yes\n`, "4:9 value-not-usable"],
  ["a switch as a number", `${BASE}enable_trusted_execution_environment=1\n`, "4:38 value-not-usable"],
  [
    "trusted execution on a machine without it",
    `${withType("node_reward_type=type1.1")}enable_trusted_execution_environment=true\n`,
    "4:38 value-not-usable",
  ],
  ["another length of the network", `${BASE}ipv6_subnet=/56\n`, "4:13 value-not-usable"],
  ["a length of the network without a slash", `${BASE}ipv6_subnet=64\n`, "4:13 value-not-usable"],
  // All at once.
  [
    "five mistakes",
    "ipv6_prefix=2602:ffe4:801\nipv6_gateway=x\nverbose=on\nverbos=true\ndomain=\n",
    "1:1 setting-missing",
    "1:13 value-not-usable",
    "2:14 value-not-usable",
    "3:9 value-not-usable",
    "4:1 unknown-key",
    "5:8 value-missing",
  ],
];

test.each(bad)("%s: told with its place", (_, text, ...mistakes) => {
  const { findings } = scan(text);
  const inOrder = findings.toSorted((a, b) => a.line - b.line || a.column - b.column);
  expect(inOrder.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual(mistakes);
  for (const finding of findings) expect([finding.what, finding.found, finding.expected].every((words) => words !== "")).toBe(true);
});

test("the tables have a hundred files and more", () => {
  expect(good.length + bad.length).toBeGreaterThanOrEqual(100);
  expect(new Set([...good, ...bad].map(([title]) => title)).size).toBe(good.length + bad.length);
});

test.each([
  ["UTF-16 with its mark", utf16(BASE), "text-in-utf16"],
  ["UTF-16 of the other order", utf16(BASE).swap16(), "text-in-utf16"],
  ["UTF-16 without a mark", Buffer.from(BASE, "utf16le"), "text-in-utf16"],
  ["a file that is too long", Buffer.alloc(LONGEST_TEXT + 1, "#"), "file-too-long"],
])("of %s nothing else is said", async (_, content, code) => {
  expect(await problemOf(() => scan(content))).toMatchObject({ code, where: { file: "config.ini" } });
});

test("a mistake in a value does not hide what is wrong beside it, and the value is read as it was meant", () => {
  const { config, findings } = scan(`ipv6_prefix='2602:ffe4:801:17' # a\n${GATEWAY.replace(":17:", ":18:")}\n${TYPE}\n`);
  expect(config.ipv6_prefix).toBe("2602:ffe4:801:17");
  expect(findings.map(({ code }) => code).toSorted()).toEqual(["comment-behind-value", "gateway-outside-network", "quotes-in-value"]);
});

test("a line that is no setting is shown by its first word alone: a key may have been pasted there", () => {
  expect(JSON.stringify(scan(`${BASE}MHQCAQEE secretsecret\n`).findings)).not.toContain("secretsecret");
});

test.each([
  ["SEC 1", SEC1],
  ["PKCS#8", PKCS8],
  ["OpenSSH", OPENSSH],
  ["PKCS#8 with the line ends of Windows", PKCS8.replaceAll("\n", "\r\n")],
])("a private key in %s is one mistake, and no part of it is shown", (_, pem) => {
  const { config, findings, warnings } = scan(`${PREFIX}\n${GATEWAY}\n${pem}${TYPE}\n`);
  expect(config).toEqual(base);
  expect(warnings).toEqual([]);
  expect(findings).toMatchObject([{ line: 3, column: 1, code: "private-key-in-config" }]);
  expect(shownPieces(pem, JSON.stringify(findings))).toEqual([]);
});

test.each([
  ["without its first line", (pem: string) => pem.replace(/^.*\n/, "")],
  ["without its last line", (pem: string) => pem.replace(/\n-----END.*\n$/, "\n")],
  ["without both", (pem: string) => pem.replaceAll(/^-.*\n/gm, "")],
  ["with = at each end", (pem: string) => pem.replaceAll(/^-.*\n/gm, "").replaceAll(/$/gm, "=")],
  ["as a value", (pem: string) => pem.replaceAll(/^-.*\n/gm, "").replaceAll(/^(?=\w)/gm, "domain = ")],
  ["as a quoted value", (pem: string) => pem.replaceAll(/^-.*\n/gm, "").replaceAll(/^\w.*$/gm, 'domain="$&"')],
  ["as a comment behind a value", (pem: string) => pem.replaceAll(/^-.*\n/gm, "").replaceAll(/^(?=\w)/gm, "verbose=true #")],
  ["as a comment in the place of a value", (pem: string) => pem.replaceAll(/^-.*\n/gm, "").replaceAll(/^(?=\w)/gm, "verbose=#")],
  ["as the name of a section", (pem: string) => pem.replaceAll(/^-.*\n/gm, "").replaceAll(/^\w.*$/gm, "[$&]")],
])("of a private key %s no part is shown", (_, cut) => {
  for (const pem of [OPENSSH, PKCS8, SEC1]) {
    const { findings, warnings } = scan(`${BASE}${cut(pem)}`);
    expect(findings.length + warnings.length).toBeGreaterThan(0);
    // The last line may be as short as a word.
    expect(shownPieces(pem.replace(/\n.{1,20}(?=\n-----END)/, ""), JSON.stringify([findings, warnings]))).toEqual([]);
  }
});

test.each([
  ["enable_trusted_execution_enviroment=true", '"enable_trusted_execution_enviroment"'],
  ["ipv6_gateway=2602:FFE4:0801:0017:0000:0000:0000:0001:0002", '"2602:FFE4:0801:0017:0000:0000:0000:0001:0002"'],
  ["domain=https://node1.example.org", '"https://node1.example.org"'],
  [`domain=${"a".repeat(21)}`, "a word of 21 characters"],
  [`domain=${"a".repeat(20)}`, `"${"a".repeat(20)}"`],
  [`domain=${"00:".repeat(15)}`, "a word of 45 characters"],
])("of a value that may be a secret the length is shown, any other as it is: %s", (line, found) => {
  expect(scan(line).findings.map((finding) => finding.found)).toContain(found);
});

/** Lines as they may be, in any order, with any bytes between them. */
const anyFile = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(...bad.map(([, text]) => Buffer.from(text)), ...good.map(([, text]) => Buffer.from(text))),
      fc.constantFrom("\n", "\r", "=", "#", '"', "[", " ", "\u00a0", "ipv4_address=", "::", "\ufeff").map((text) => Buffer.from(text)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts));

test("of any bytes every mistake and warning has a place in the file, and the same bytes give the same answer", () => {
  fc.assert(
    fc.property(anyFile, (content) => {
      try {
        const read = scan(content);
        const lines = content.toString("utf8").split(/\r\n|\r|\n/);
        for (const { line = 0, column = 0 } of [...read.findings, ...read.warnings.map(({ where }) => where ?? expect.unreachable())]) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines.length + 1);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(column).toBeLessThanOrEqual((lines[line - 1] ?? "").length + 1);
        }
        expect(scan(content)).toEqual({ ...read, finding: expect.any(Function) as unknown });
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        expect(error.problem.where).toMatchObject({ file: "config.ini" });
      }
    }),
  );
});

test("what is read without a mistake is read the same from its canonical form, without a warning of form", () => {
  for (const [, text] of good) {
    const { config } = scan(text);
    const canonical = Object.entries(config)
      .map(([key, value]) => `${key}=${value}\n`)
      .join("");
    expect(scan(canonical)).toMatchObject({ config, findings: [] });
    expect(scan(canonical).warnings.filter(({ code }) => /blanks|section|unknown/.test(code))).toEqual([]);
  }
});
