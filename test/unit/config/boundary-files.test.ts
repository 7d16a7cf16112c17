import { expect, test } from "vitest";
import { parseBnVars, servedDomains } from "../../../src/config/bn-vars.ts";
import { checkCertificatePair } from "../../../src/config/values/certificate-pair.ts";
import { dantedConf } from "../../../src/config/danted-conf.ts";
import { environmentFile } from "../../../src/config/text/environment-file.ts";
import { broadcastAddress, readNetwork } from "../../../src/config/values/ip-network.ts";
import { nginxConf } from "../../../src/config/nginx-conf.ts";
import { parseDantedError } from "../../../src/system/danted.ts";
import { parseNginxError } from "../../../src/system/nginx.ts";
import { Secret } from "../../../src/base/secret.ts";
import { damagedKey, makeCertificate, makeTlsKey } from "../../support/certificate.ts";
import { problemOf } from "../../support/problem-of.ts";

test("a domain may are in a line of its own or among others, and counts once", () => {
  const text = "system_domains=ic0.app\nsystem_domains=ic0.dev\napplication_domains=icp0.io, ic0.app\n";
  expect(servedDomains(parseBnVars(Buffer.from(text), "f"))).toEqual(["ic0.app", "ic0.dev", "icp0.io"]);
});

test.each([
  ["10.0.0.0/8", "ipv4", true],
  ["192.0.2.1/32", "ipv4", true],
  ["128.0.0.0/1", "ipv4", true],
  ["10.0.0.1/8", "ipv4", false],
  ["0.0.0.0/0", "ipv4", false],
  ["10.0.0.0", "ipv4", false],
  ["10.0.0.0/33", "ipv4", false],
  ["2001:db8::/32", "ipv4", false],
  ["2001:db8::/32", "ipv6", true],
  ["2001:db8:0:0:0:0:0:1/128", "ipv6", true],
  ["2001:db8::8000/113", "ipv6", true],
  ["2001:db8::8000/112", "ipv6", false],
  ["::/0", "ipv6", false],
  ["fe80::%eth0/64", "ipv6", false],
  ["::ffff:10.0.0.0/104", "ipv6", false],
] as const)("%s as an %s network: %s", (value, family, is) => {
  expect(readNetwork(value, family) !== undefined).toBe(is);
});

// RFC 5952; and strtoul(3) with base 0 reads a number with a zero before it as an octal one.
test.each([
  ["10.0.0.0/08", "ipv4", "10.0.0.0/8"],
  ["2001:DB8:0:0:0:0:0:0/032", "ipv6", "2001:db8::/32"],
] as const)("%s as an %s network is written as %s", (value, family, text) => {
  expect(readNetwork(value, family)).toBe(text);
});

// RFC 919, section 7; RFC 3021 for /31.
test.each([
  ["192.0.2.17/24", "192.0.2.255"],
  ["10.1.2.3/8", "10.255.255.255"],
  ["192.0.2.1/30", "192.0.2.3"],
  ["200.0.0.1/1", "255.255.255.255"],
  ["192.0.2.0/31", undefined],
  ["192.0.2.1/32", undefined],
])("all machines in the network of %s have the address %s", (network, address) => {
  expect(broadcastAddress(network)).toBe(address);
});

test("domains, networks and numbers of bn_vars.conf are written in one spelling, and each is taken once however it is spelt", async () => {
  const text =
    "system_domains=IC0.App\nipv4_replica_ips=10.0.0.0/08\nipv6_replica_ips=2001:DB8:0::/032\nlast_known_registry_version=0010\n";
  expect(parseBnVars(Buffer.from(text), "f")).toMatchObject({
    system_domains: ["ic0.app"],
    ipv4_replica_ips: ["10.0.0.0/8"],
    ipv6_replica_ips: ["2001:db8::/32"],
    last_known_registry_version: "10",
  });
  for (const twice of ["system_domains=ic0.app IC0.app", "ipv6_replica_ips=2001:db8::/32 2001:db8:0::/32"])
    expect(() => parseBnVars(Buffer.from(twice), "f")).toThrow("each once");
});

const settings = {
  ...{ domains: ["ic0.app"], apiDomains: ["api.example.org"], certificate: "/c", key: "/k", folder: "/run/n" },
  ...{ resolvers: ["9.9.9.9", "2001:db8::53"], certifiesRaw: false },
};

test("nginx answers for the domains and what is below them, and asks the node's name servers", () => {
  const text = nginxConf(settings);
  expect(text.match(/server_name .*;/g)).toEqual(["server_name .ic0.app api.example.org;", "server_name .ic0.app api.example.org;"]);
  expect(text).toContain("  resolver 9.9.9.9 [2001:db8::53];\n");
  expect(nginxConf({ ...settings, resolvers: [] })).not.toContain("resolver");
  expect(text).not.toContain("x-icx-require-certification");
  expect(nginxConf({ ...settings, certifiesRaw: true })).toContain('location /_/raw/ {\n      proxy_set_header Connection "";\n');
});

test("danted passes the networks that are named, in both kinds of rule, and blocks what is left last", () => {
  const rules = dantedConf({ clients: ["2001:db8::/32"], outgoing: "enp2s0" })
    .split("\n\n")
    .slice(1)
    .join("\n");
  expect(rules.match(/^(client|socks) (pass|block)/gm)).toEqual([
    ...["client pass", "client block"],
    ...["socks block", "socks block", "socks block", "socks block", "socks block"],
    ...["socks pass", "socks block"],
  ]);
});

test("an environment file holds words, and nothing that could be more", () => {
  expect(environmentFile({ A: "--domain ic0.app --domain icp0.io", B: undefined, C: "" })).toMatch(
    /^#.*\nA="--domain ic0\.app --domain icp0\.io"\nC=""\n$/,
  );
  for (const value of ['a"b', "a\nb", "a\\b", "$HOME", "`x`", "é"]) expect(() => environmentFile({ A: value })).toThrow("the value of A");
});

const now = Date.parse("2026-06-01");
const key = makeTlsKey();
const certificate = makeCertificate(key, new Date("2026-01-01"), new Date("2027-01-01"));
const pairOf = (chain: string, keyText: string): Parameters<typeof checkCertificatePair>[0] => ({
  ...{ chain: Buffer.from(chain), chainFile: "chain", key: new Secret(Buffer.from(keyText)), keyFile: "key" },
});

test("a certificate with its key can be shown; names and times that it is not for are said", () => {
  expect(checkCertificatePair(pairOf(certificate, key), [], now)).toEqual([]);
  expect(checkCertificatePair(pairOf(certificate, key), ["ic0.app"], now)).toEqual([expect.stringContaining("is not for ic0.app")]);
  expect(checkCertificatePair(pairOf(certificate, key), [], Date.parse("2027-06-01"))).toEqual([expect.stringContaining("has expired")]);
  expect(checkCertificatePair(pairOf(certificate, key), [], Date.parse("2025-06-01"))).toEqual([
    expect.stringContaining("not valid before"),
  ]);
});

test.each([
  ["", key, { file: "chain", line: 1, column: 1 }],
  ["text\n", key, { file: "chain", line: 1, column: 1 }],
  [
    `${certificate}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
    key,
    { file: "chain", line: certificate.split("\n").length + 1, column: 1 },
  ],
  [certificate.slice(0, 200), key, { file: "chain", line: 1, column: 1 }],
  [certificate, "hunter2", { file: "key", line: 1, column: 1 }],
  [certificate, makeTlsKey(), { file: "key" }],
  // nginx -t takes it: the public half in the file is the certificate's (SSL_CTX_check_private_key(3)).
  [certificate, damagedKey(key), { file: "key" }],
])("a pair that cannot be shown is refused with its place, and without a word of the key (%#)", async (chain, keyText, where) => {
  const problem = await problemOf(async () => checkCertificatePair(pairOf(chain, keyText), [], now));
  expect(problem.where).toEqual(where);
  expect(JSON.stringify(problem)).not.toMatch(/hunter|MIG/);
});

// As nginx 1.22 and dante 1.4.2 have said it.
test.each([
  [
    '2026/11/25 07:53:14 [emerg] 22327#22327: unknown directive "x" in /etc/n.conf:3\nnginx: … failed\n',
    { file: "/etc/n.conf", line: 3 },
    'unknown directive "x"',
  ],
  [
    "nginx: [emerg] bind() to 0.0.0.0:443 failed (13: Permission denied)\n",
    { file: "f" },
    "bind() to 0.0.0.0:443 failed (13: Permission denied)",
  ],
])("what nginx says is understood: %j", (stderr, where, found) => {
  expect(parseNginxError(stderr, "f")?.problem).toMatchObject({ where, found });
});

test("what danted says is understood, and when it may be another time", () => {
  const at = "Nov 25 07:51:49 (1795593109.551117) danted[20968]:";
  const manual = "  Please see the Dante manual for more information";
  const syntax = parseDantedError(
    `${at} error: f: problem on line 20 near token "p": syntax error.${manual}\n${at} alert: mother[1/1]: shutting down\n`,
    "f",
  );
  expect(syntax).toMatchObject({ retryable: false, problem: { where: { file: "f", line: 20 }, found: '"p": syntax error' } });
  const early = parseDantedError(
    `${at} warning: int_ifname2sockaddr(): interface "d0" has no usable IP-addresses configured\n${at} error: f: problem on line 4 near token "d0": could not resolve hostname "d0": Temporary failure in name resolution.${manual}\n`,
    "f",
  );
  expect(early).toMatchObject({
    retryable: true,
    problem: { where: { line: 4 }, found: 'interface "d0" has no usable IP-addresses configured' },
  });
  for (const parse of [parseNginxError, parseDantedError]) expect(parse("Segmentation fault\n", "f")).toBeUndefined();
});
