import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type GuestosConfigFile, parseGuestosConfig, scanGuestosConfig } from "../../../src/config/guestos-config.ts";
import { ProblemError } from "../../../src/base/problem.ts";
import { operatorKeyText, type Sample, sampleConfig } from "../../support/guestos-config-samples.ts";
import { problemOf } from "../../support/problem-of.ts";

const scan = (text: string): GuestosConfigFile => scanGuestosConfig(Buffer.from(text), "config.json");
const VERSIONS = Array.from({ length: 18 }, (_, minor) => `1.${minor}.0`);

test.each(VERSIONS)("a file of version %s is taken without a word", (version) => {
  const { config, findings, notes } = scan(sampleConfig(version));
  expect({ findings, notes }).toEqual({ findings: [], notes: [] });
  expect(config).toMatchObject({
    config_version: version,
    network_settings: {
      ipv6_config: { kind: "Fixed", address: "2001:db8:7::17/64", gateway: "2001:db8:7::1" },
      ipv4_config: { address: "192.0.2.17", gateway: "192.0.2.1", prefix_length: 24 },
      domain_name: "node.example.org",
    },
    icos_settings: {
      node_reward_type: "type3.1",
      mgmt_mac: "b0:7b:25:c8:f6:c0",
      deployment_environment: "mainnet",
      nns_urls: ["https://icp-api.io", "https://icp0.io", "https://ic0.app"],
    },
    guest_vm_type: "default",
    upgrade_config: { peer_guest_vm_address: "2001:db8:7::18" },
  });
});

test("every value has a default", () => {
  const { config, findings, notes, text } = scan("{}");
  expect({ findings, notes, text }).toEqual({ findings: [], notes: [], text: "{}" });
  expect(config).toEqual({
    config_version: "",
    network_settings: { ipv6_config: { kind: "RouterAdvertisement" }, ipv4_config: null, domain_name: null },
    icos_settings: {
      node_reward_type: null,
      mgmt_mac: null,
      deployment_environment: "unknown",
      nns_urls: [],
      node_operator_private_key: null,
      enable_trusted_execution_environment: false,
      use_ssh_authorized_keys: false,
    },
    guestos_settings: {
      guestos_dev_settings: {
        backup_spool: null,
        malicious_behavior: null,
        query_stats_epoch_length: null,
        bitcoind_addr: null,
        dogecoind_addr: null,
        jaeger_addr: null,
        socks_proxy: null,
        hostname: null,
        generate_ic_boundary_tls_cert: null,
        nns_pub_key_override: null,
      },
      engine_management_canister_id: null,
    },
    guest_vm_type: "default",
    upgrade_config: { peer_guest_vm_address: null },
    trusted_execution_environment_config: null,
    recovery_config: null,
  });
});

/** What a value reads as. */
const values: readonly (readonly [title: string, change: (config: Sample) => void, expected: object])[] = [
  ["the word RouterAdvertisement", network("RouterAdvertisement"), { network_settings: { ipv6_config: { kind: "RouterAdvertisement" } } }],
  ["a word of a later version", network("Later"), { network_settings: { ipv6_config: { kind: "Unknown" } } }],
  ["an object of a later version", network({ Later: { x: 1 } }), { network_settings: { ipv6_config: { kind: "Unknown" } } }],
  [
    "Deterministic",
    network({ Deterministic: { prefix: "2602:ffe4:801:17", prefix_length: 64, gateway: "2602:ffe4:801:17::1" } }),
    { network_settings: { ipv6_config: { kind: "Deterministic", prefix: "2602:ffe4:801:17", gateway: "2602:ffe4:801:17::1" } } },
  ],
  ["no IPv4", (config) => (config.network_settings["ipv4_config"] = null), { network_settings: { ipv4_config: null } }],
  [
    "an environment of a later version",
    (config) => (config.icos_settings["deployment_environment"] = "Moonnet"),
    { icos_settings: { deployment_environment: "unknown" } },
  ],
  ["a type of a later version", (config) => (config["guest_vm_type"] = "../evil"), { guest_vm_type: "unknown" }],
  ["the upgrade VM", (config) => (config["guest_vm_type"] = "upgrade"), { guest_vm_type: "upgrade" }],
  [
    "one text with commas",
    urls("https://a.example, http://[2001:DB8::1]:8080/"),
    { icos_settings: { nns_urls: ["https://a.example", "http://[2001:db8::1]:8080"] } },
  ],
  ["no URL", urls([]), { icos_settings: { nns_urls: [] } }],
  [
    "a MAC address in capitals",
    (config) => (config.icos_settings["mgmt_mac"] = "B0-7B-25-C8-F6-C0"),
    { icos_settings: { mgmt_mac: "b0:7b:25:c8:f6:c0" } },
  ],
  ["an empty domain", (config) => (config.network_settings["domain_name"] = ""), { network_settings: { domain_name: null } }],
  ["a recovery", (config) => (config["recovery_config"] = { recovery_hash: "0a1b2c" }), { recovery_config: { recovery_hash: "0a1b2c" } }],
  [
    "certificates",
    (config) => (config["trusted_execution_environment_config"] = { sev_cert_chain_pem: "-----BEGIN" }),
    { trusted_execution_environment_config: { sev_cert_chain_pem: "-----BEGIN" } },
  ],
  [
    "settings for development",
    (config) =>
      Object.assign(config.guestos_settings.guestos_dev_settings, {
        backup_spool: { backup_retention_time_seconds: 60, backup_purging_interval_seconds: null },
        malicious_behavior: { maliciously_gossip: true },
        query_stats_epoch_length: 60,
        bitcoind_addr: "[2001:db8::2]:8333",
        hostname: "dev-7",
      }),
    {
      guestos_settings: {
        guestos_dev_settings: {
          backup_spool: { backup_retention_time_seconds: 60, backup_purging_interval_seconds: null },
          malicious_behavior: { maliciously_gossip: true },
          query_stats_epoch_length: 60,
          bitcoind_addr: "[2001:db8::2]:8333",
          hostname: "dev-7",
        },
      },
    },
  ],
];

function network(ipv6: unknown): (config: Sample) => void {
  return (config) => {
    config.network_settings["ipv6_config"] = ipv6;
  };
}

function urls(list: unknown): (config: Sample) => void {
  return (config) => {
    config.icos_settings["nns_urls"] = list;
  };
}

test.each(values)("%s", (_, change, expected) => {
  const { config, findings } = scan(sampleConfig("1.17.0", change));
  expect(findings).toEqual([]);
  expect(config).toMatchObject(expected);
});

/** What is wrong, the path that is named, and what is left. */
const mistakes: readonly (readonly [title: string, change: (config: Sample) => void, path: string, left: object])[] = [
  [
    "an IPv6 address without a length",
    network({ Fixed: { address: "2001:db8::1", gateway: "2001:db8::2" } }),
    "network_settings.ipv6_config.Fixed.address",
    { network_settings: { ipv6_config: { kind: "RouterAdvertisement" }, ipv4_config: { prefix_length: 24 } } },
  ],
  [
    "a gateway that is none",
    network({ Fixed: { address: "2001:db8::17/64", gateway: "192.0.2.1" } }),
    "network_settings.ipv6_config.Fixed.gateway",
    { network_settings: { ipv6_config: { kind: "Fixed", address: "2001:db8::17/64", gateway: null } } },
  ],
  [
    "two choices",
    network({ Fixed: {}, Deterministic: {} }),
    "network_settings.ipv6_config",
    { network_settings: { ipv6_config: { kind: "RouterAdvertisement" } } },
  ],
  [
    "a prefix of another length",
    network({ Deterministic: { prefix: "2001:db8", prefix_length: 56, gateway: "2001:db8::1" } }),
    "network_settings.ipv6_config.Deterministic.prefix_length",
    { network_settings: { ipv6_config: { kind: "Deterministic", prefix_length: 64 } } },
  ],
  [
    "a part of an IPv4 configuration",
    (config) => (config.network_settings["ipv4_config"] = { address: "192.0.2.17", prefix_length: 24 }),
    "network_settings.ipv4_config.gateway",
    { network_settings: { ipv4_config: null, ipv6_config: { kind: "Fixed" } } },
  ],
  [
    "a length that is a text",
    (config) => (config.network_settings["ipv4_config"] = { address: "192.0.2.17", gateway: "192.0.2.1", prefix_length: "24" }),
    "network_settings.ipv4_config.prefix_length",
    { network_settings: { ipv4_config: null } },
  ],
  [
    "one URL of three",
    urls(["https://a.example,https//b.example,https://c.example"]),
    "icos_settings.nns_urls[0]",
    { icos_settings: { nns_urls: ["https://a.example", "https://c.example"] } },
  ],
  [
    "a URL that is a number",
    urls(["https://a.example", 5]),
    "icos_settings.nns_urls[1]",
    { icos_settings: { nns_urls: ["https://a.example"] } },
  ],
  ["URLs that are an object", urls({}), "icos_settings.nns_urls", { icos_settings: { nns_urls: [] } }],
  [
    "a section that is a text",
    (config) => Object.assign(config, { guestos_settings: "x" }),
    "guestos_settings",
    { icos_settings: { mgmt_mac: "b0:7b:25:c8:f6:c0" } },
  ],
  [
    "a number beyond its bounds",
    (config) => (config.guestos_settings.guestos_dev_settings["query_stats_epoch_length"] = 1e300),
    "guestos_settings.guestos_dev_settings.query_stats_epoch_length",
    {},
  ],
  [
    "an address that would end a text",
    (config) => (config.guestos_settings.guestos_dev_settings["socks_proxy"] = 'x", y: "'),
    "guestos_settings.guestos_dev_settings.socks_proxy",
    {},
  ],
  [
    "an address of the other VM that is none",
    (config) => (config["upgrade_config"] = { peer_guest_vm_address: 7 }),
    "upgrade_config.peer_guest_vm_address",
    {},
  ],
];

test.each(mistakes)("%s costs that value alone, and is named", (_, change, path, left) => {
  const text = sampleConfig("1.17.0", change);
  const { config, findings } = scan(text);
  expect(findings.map(({ what }) => what)).toEqual([`${path} is not usable`]);
  expect(config).toMatchObject({ config_version: "1.17.0", ...left });
  expect(() => parseGuestosConfig(Buffer.from(text), "config.json")).toThrow(ProblemError);
});

test("a mistake has line, column and what was expected", () => {
  const text =
    '{\n  "network_settings": {\n    "ipv4_config": { "address": "300.1.1.1", "gateway": "192.0.2.1", "prefix_length": 24 }\n  }\n}';
  expect(scan(text).findings).toMatchObject([
    { line: 3, column: 33, found: String.raw`"\"300.1.1.1\""`, expected: "an IPv4 address, as in 192.0.2.17" },
  ]);
});

test("unknown names are ignored, and noted with their paths", () => {
  const { findings, notes } = scan(
    sampleConfig("1.18.0", (config) => {
      config["later"] = { deep: [1] };
      config.icos_settings["much\u001b later"] = 1;
      network({ Fixed: { address: "2001:db8::17/64", gateway: "2001:db8::1", later: 1 } })(config);
    }),
  );
  expect(findings).toEqual([]);
  expect(notes).toEqual([
    "its version 1.18.0 is later than 1.17, the last one that this program knows",
    String.raw`it has names that are not known, and are ignored: network_settings.ipv6_config.Fixed.later, icos_settings.much\u001b later, later`,
  ]);
});

test("the operator's key is a secret, and is not in the text that is kept", () => {
  const key = operatorKeyText();
  const { config, text, findings } = scan(sampleConfig("1.17.0", (sample) => (sample.icos_settings["node_operator_private_key"] = key)));
  expect(findings).toEqual([]);
  expect(Buffer.from(config.icos_settings.node_operator_private_key?.expose() ?? []).toString()).toBe(key);
  expect(JSON.stringify(config)).toContain("[secret]");
  expect(text).toBe(sampleConfig("1.17.0"));
});

test("of a key that is none, nothing is shown, and nothing is kept", () => {
  for (const wrong of ["hunter2", 5, { key: "hunter2" }]) {
    const { config, text, findings } = scan(
      sampleConfig("1.17.0", (sample) => (sample.icos_settings["node_operator_private_key"] = wrong)),
    );
    expect(config.icos_settings.node_operator_private_key).toBeNull();
    expect(findings).toMatchObject([{ found: "[secret]" }]);
    expect(text).toBe(sampleConfig("1.17.0"));
  }
});

test("a byte order mark is noted", () => {
  expect(scan(`\ufeff${sampleConfig("1.17.0")}`)).toMatchObject({
    notes: ["it begins with a byte order mark, which is left out"],
    text: sampleConfig("1.17.0"),
  });
});

test("a key in place of the network's is read", () => {
  // Any key of which the structure is right.
  const pem = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" });
  const { config } = scan(
    sampleConfig("1.17.0", (sample) => (sample.guestos_settings.guestos_dev_settings["nns_pub_key_override"] = pem.trim())),
  );
  expect(config.guestos_settings.guestos_dev_settings.nns_pub_key_override).toBe(pem);
});

const broken: readonly (readonly [content: string | Uint8Array, where: object, found: string])[] = [
  ["", { line: 1, column: 1 }, "the end of the file"],
  ['{\n"a": 1,\n}', { line: 3, column: 1 }, '"}"'],
  ["# yaml\na: 1", { line: 1, column: 1 }, '"#"'],
  ["[1]", { line: 1, column: 1 }, '"[1]"'],
  ["5", { line: 1, column: 1 }, '"5"'],
  [Buffer.from([0x7b, 0x0a, 0x22, 0xff, 0x22]), { line: 2, column: 2 }, "bytes that are not UTF-8"],
  [`{"a":${"[".repeat(40)}${"]".repeat(40)}}`, { line: 1, column: 37 }, '"["'],
  ['{"guest_vm_type":"default","guest_vm_type":"upgrade"}', { line: 1, column: 28 }, String.raw`"\""`],
];

test.each(broken)("%j is refused as a whole, with its place", async (content, where, found) => {
  const problem = await problemOf(() => scanGuestosConfig(Buffer.from(content), "config.json"));
  expect(problem).toMatchObject({ where: { file: "config.json", ...where }, found });
});

test("a file that is too long is refused before it is read", async () => {
  expect(await problemOf(() => scan(`"${"x".repeat(256 * 1024)}"`))).toMatchObject({ code: "file-too-long" });
});

/** Documents that have the names of the schema, and anything behind them. */
const hostile = fc
  .record({
    name: fc.constantFrom("network_settings", "icos_settings", "guestos_settings", "guest_vm_type", "upgrade_config", "x"),
    value: fc.jsonValue(),
  })
  .map(({ name, value }) => ({ [name]: value }));
const changed = fc.tuple(fc.nat({ max: 60 }), fc.jsonValue()).map(([nth, value]) => {
  let count = 0;
  const walk = (node: unknown): unknown => {
    count += 1;
    if (count === nth) return value;
    if (Array.isArray(node)) return node.map(walk);
    if (typeof node === "object" && node !== null)
      return Object.fromEntries(Object.entries(node).map(([key, below]) => [key, walk(below)]));
    return node;
  };
  return walk(JSON.parse(sampleConfig("1.17.0")));
});

test("any JSON, any text and any bytes: an answer or a problem with a place, never another error", () => {
  const contents = fc.oneof(
    fc.oneof(fc.jsonValue(), hostile, changed).map((value) => Buffer.from(JSON.stringify(value))),
    fc.string({ unit: "binary" }).map((text) => Buffer.from(text)),
    fc.uint8Array(),
  );
  fc.assert(
    fc.property(contents, (content) => {
      try {
        const { findings, text } = scanGuestosConfig(content, "config.json");
        for (const { line, column, what, expected } of findings) {
          expect(Math.min(line, column)).toBeGreaterThan(0);
          expect(what).toMatch(/^[\x20-\x7e]+ is not usable$/);
          expect(expected).not.toMatch(/undefined|Invalid/);
        }
        // What is kept is taken without the mistakes of its own making.
        expect(scan(text).findings.length).toBeLessThanOrEqual(findings.length);
      } catch (error) {
        expect(error).toBeInstanceOf(ProblemError);
        expect((error as ProblemError).problem.where).toMatchObject({ line: expect.any(Number), column: expect.any(Number) });
      }
    }),
    { numRuns: 500 },
  );
});

const many = (count: number, one: (index: number) => string): string => Array.from({ length: count }, (_, index) => one(index)).join(",");

// What a pass over the whole file for each of them would make of it takes longer than a test may.
test.each([
  ["names at the top", `{${many(24_000, (index) => `"${index.toString(36)}":1`)}}`, 0, 1],
  ["names in an object", `{"icos_settings":{${many(24_000, (index) => `"${index.toString(36)}":1`)}}}`, 0, 1],
  ["URLs in a list", `{"icos_settings":{"nns_urls":[${many(120_000, () => "1")}]}}`, 1, 0],
  ["URLs in a text", `{"icos_settings":{"nns_urls":"${many(40_000, (index) => index.toString(36))}"}}`, 1, 0],
])("ten thousands of %s are a moment's work", (_, content, findings, notes) => {
  const read = scanGuestosConfig(Buffer.from(content), "config.json");
  expect([read.findings.length, read.notes.length]).toEqual([findings, notes]);
  expect(read.config.icos_settings.nns_urls).toEqual([]);
});
