import fc from "fast-check";
import { expect, test } from "vitest";
import { ProblemError } from "../../../src/base/problem.ts";
import { type OsConfigFile, scanGuestosConfig } from "../../../src/config/guestos-config.ts";
import { guestosConfigOf, hostosConfigUpToDate, scanHostosConfig } from "../../../src/config/hostos-config.ts";
import type { HostosConfig } from "../../../src/config/hostos-settings.ts";
import { guestosNetwork } from "../../../src/config/node-network.ts";
import { osConfigDocument, osConfigText } from "../../../src/config/os-config-text.ts";
import { type HostSample, operatorKeyText, sampleHostConfig } from "../../support/guestos-config-samples.ts";
import { problemOf } from "../../support/problem-of.ts";

const scan = (text: string | Uint8Array): OsConfigFile<HostosConfig> => scanHostosConfig(Buffer.from(text), "config.json");
const VERSIONS = Array.from({ length: 18 }, (_, minor) => `1.${minor}.0`);
const today = (changes?: Parameters<typeof sampleHostConfig>[1]): HostosConfig => scan(sampleHostConfig("1.17.0", changes)).config;

test.each(VERSIONS)("a file of version %s is taken without a word", (version) => {
  const { config, findings, notes } = scan(sampleHostConfig(version));
  expect({ findings, notes }).toEqual({ findings: [], notes: [] });
  expect(config).toMatchObject({
    config_version: version,
    network_settings: { ipv6_config: { kind: "Deterministic", prefix: "2001:db8:0:7", prefix_length: 64, gateway: "2001:db8:0:7::1" } },
    icos_settings: { mgmt_mac: "b0:7b:25:c8:f6:c0", nns_urls: ["https://icp-api.io", "https://icp0.io", "https://ic0.app"] },
    hostos_settings: { verbose: false, hostos_dev_settings: { vm_memory: 16, vm_cpu: "kvm" } },
  });
});

test.each(VERSIONS.slice(0, -1))("a file of version %s becomes that of 1.17, with the members that this one has, once", (version) => {
  const text = hostosConfigUpToDate(scan(sampleHostConfig(version))) ?? expect.unreachable();
  const vm_nr_of_vcpus = Number(version.split(".")[1]) < 4 ? 16 : 64;
  const expected = sampleHostConfig("1.17.0", (config) =>
    Object.assign(config.hostos_settings, { hostos_dev_settings: { vm_memory: 16, vm_cpu: "kvm", vm_nr_of_vcpus } }),
  );
  expect(Buffer.from(text).toString()).toBe(expected);
  expect(hostosConfigUpToDate(scan(text))).toBeUndefined();
});

test("a file of this version and one of a later one stay as they are", () => {
  for (const version of ["1.17.0", "1.17.3", "1.18.0", "2.0.0"]) {
    const later = sampleHostConfig("1.17.0", (config) => (config.config_version = version));
    expect(hostosConfigUpToDate(scan(later))).toBeUndefined();
  }
});

test("a file with a mistake is not written again: what is wrong would be lost", async () => {
  const wrong = sampleHostConfig("1.9.0", (config) => (config.hostos_settings["verbose"] = "yes"));
  const line = wrong.split("\n").findIndex((each) => each.includes('"verbose": "yes"')) + 1;
  expect(await problemOf(() => hostosConfigUpToDate(scan(wrong)))).toMatchObject({ code: "value-not-usable", where: { line } });
});

const lacking: readonly (readonly [name: string, change: (config: HostSample) => void])[] = [
  ["mgmt_mac", (config) => (config.icos_settings["mgmt_mac"] = null)],
  ["deployment_environment", (config) => (config.icos_settings["deployment_environment"] = "later")],
  ["ipv6_config", (config) => (config.network_settings["ipv6_config"] = { Later: {} })],
];

test.each(lacking)("without %s no configuration is written", async (name, change) => {
  expect(await problemOf(() => osConfigText(scan(sampleHostConfig("1.9.0", change)).config))).toMatchObject({
    code: "config-not-whole",
    what: expect.stringContaining(name) as string,
  });
});

test("what is written is read again as the same, with every choice of the network", () => {
  for (const ipv6_config of ["RouterAdvertisement", { Fixed: { address: "2001:db8::1/64", gateway: "2001:db8::9" } }]) {
    const config = today((sample) => {
      sample.network_settings["ipv6_config"] = ipv6_config;
      sample.network_settings["ipv4_config"] = null;
    });
    const { config: again, findings, notes } = scan(osConfigText(config));
    expect({ again, findings, notes }).toEqual({ again: { ...config }, findings: [], notes: [] });
  }
});

test("the operator's key is in the text, and in nothing that is shown", () => {
  const pem = operatorKeyText();
  const config = today((sample) => (sample.icos_settings["node_operator_private_key"] = pem));
  const stored = JSON.parse(Buffer.from(osConfigText(config)).toString()) as { readonly icos_settings: object };
  expect(stored.icos_settings).toMatchObject({ node_operator_private_key: pem });
  expect(JSON.stringify(osConfigDocument(config))).toContain('"node_operator_private_key":"[secret]"');
});

// The published examples of dfinity/ic, rs/ic_os/config/tool/src/hostos/guestos_config.rs.
test("a guest's address is computed, and that of its peer", () => {
  const host = today((sample) => {
    sample.icos_settings["mgmt_mac"] = "00:00:00:00:00:00";
    sample.icos_settings["deployment_environment"] = "testnet";
    sample.network_settings["ipv6_config"] = { Deterministic: { prefix: "2001:db8::", prefix_length: 64, gateway: "2001:db8::1" } };
  });
  const [guest, upgrade] = ["2001:db8::6801:94ff:feef:2978", "2001:db8::6802:94ff:feef:2978"];
  expect(guestosConfigOf(host, { type: "default" })).toMatchObject({
    config_version: "1.17.0",
    network_settings: { ...host.network_settings, ipv6_config: { kind: "Fixed", address: `${guest}/64`, gateway: "2001:db8::1" } },
    icos_settings: host.icos_settings,
    guest_vm_type: "default",
    upgrade_config: { peer_guest_vm_address: upgrade },
    recovery_config: null,
  });
  expect(guestosConfigOf(host, { type: "upgrade", recoveryHash: "0a1b2c" })).toMatchObject({
    network_settings: { ipv6_config: { address: `${upgrade}/64` } },
    guest_vm_type: "upgrade",
    upgrade_config: { peer_guest_vm_address: guest },
    recovery_config: { recovery_hash: "0a1b2c" },
  });
});

test("what a host hands over is what a guest takes without a word", () => {
  const guest = guestosConfigOf(today(), { type: "default" });
  const read = scanGuestosConfig(osConfigText(guest), "config.json");
  expect({ config: read.config, findings: read.findings, notes: read.notes }).toEqual({ config: guest, findings: [], notes: [] });
  expect(guestosNetwork(read)).toMatchObject({
    conf: { ipv6_address: "2001:db8:0:7:6801:ff:feec:bd51/64", ipv6_gateway: "2001:db8:0:7::1", hostname: "guest-b07b25c8f6c0" },
    malformed: [],
    unusable: [],
  });
});

test("a guest without an address, or without the certificates that it needs, is refused", async () => {
  const fixed = today((sample) => (sample.network_settings["ipv6_config"] = "RouterAdvertisement"));
  expect(await problemOf(() => guestosConfigOf(fixed, { type: "default" }))).toMatchObject({ code: "guest-address-not-known" });
  const tee = today((sample) => (sample.icos_settings["enable_trusted_execution_environment"] = true));
  expect(await problemOf(() => guestosConfigOf(tee, { type: "default" }))).toMatchObject({
    code: "certificate-chain-missing",
    todo: expect.stringContaining("enable_trusted_execution_environment"),
  });
  expect(guestosConfigOf(tee, { type: "default", certificateChain: "-----BEGIN" })).toMatchObject({
    trusted_execution_environment_config: { sev_cert_chain_pem: "-----BEGIN" },
  });
});

test("of any values every mistake has a place, and the rest is usable", () => {
  const anyConfig = fc.record(
    { config_version: fc.jsonValue(), network_settings: fc.jsonValue(), hostos_settings: fc.jsonValue(), icos_settings: fc.jsonValue() },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        anyConfig.map((config) => JSON.stringify(config)),
        fc.string(),
      ),
      (text) => {
        try {
          const { config, findings } = scan(text);
          for (const { line, column } of findings) expect([line >= 1, column >= 1]).toEqual([true, true]);
          expect(config.hostos_settings.hostos_dev_settings.vm_cpu).toMatch(/^(?:kvm|qemu)$/);
        } catch (error) {
          if (!(error instanceof ProblemError)) throw error;
          expect(error.problem.where).toMatchObject({ file: "config.json", line: expect.any(Number) as number });
        }
      },
    ),
  );
});
