import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { neighbourhood } from "../../../../src/config/ic-config.ts";
import { isConflict } from "../../../../src/boot/unit.ts";
import { icConfig } from "../../../../src/units/injection/ic-config.ts";
import { type FakeHost, fakeHost } from "../../../support/fake-host.ts";
import { sampleConfig } from "../../../support/guestos-config-samples.ts";
import { problemOf } from "../../../support/problem-of.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine } from "../../../support/test-machine.ts";

const TEMPLATE = "/opt/ic/share/ic.json5.template";
const FILE = "/run/ic-node/config/ic.json5";
const template = readFileSync("test/vm/support/ic.json5.template", "utf8");
const NETWORK =
  "ipv6_address=2001:db8:7:8:9::17/64\nipv6_gateway=2001:db8:7:8::1\nipv4_address=192.0.2.17/24\nipv4_gateway=192.0.2.1\ndomain=example.org\n";

function machine(conf: Readonly<Record<string, string>>): FakeHost {
  const files = Object.entries(conf).map(([name, text]) => [`/boot/config/${name}`, text]);
  return fakeHost({ files: { [TEMPLATE]: template, ...Object.fromEntries(files) }, attributes: { [FILE]: { mode: 0o644 } } });
}

/** JSON5 is a part of ECMAScript (spec.json5.org). */
function written(host: FakeHost): unknown {
  return JSON.parse(JSON.stringify(runInNewContext(`(${String(host.files.get(FILE))})`)));
}

test("the template is filled in from an old medium's files, and the file is then left alone", async () => {
  const host = machine({
    "network.conf": NETWORK,
    "nns.conf": "nns_url=http://[2001:db8::1]:8080,https://icp-api.io\n",
    "backup.conf": "backup_retention_time_secs=60\nbackup_purging_interval_secs=30\n",
    "query_stats.conf": "query_stats_epoch_length=700\n",
    "jaeger_addr.conf": "jaeger_addr=[2001:db8::2]:4317\n",
    "reward.conf": "node_reward_type=type3.1\n",
  });
  expect(await runUnit(icConfig, testMachine(host))).toEqual([`write ${FILE} from ${TEMPLATE}`]);
  expect(written(host)).toMatchObject({
    initial_ipv4_config: { public_address: "192.0.2.17/24", public_gateway: "192.0.2.1" },
    domain: "example.org",
    artifact_pool: { backup: { retention_time_secs: 60, purging_interval_secs: 30 } },
    hypervisor: { query_stats_epoch_length: 700 },
    tracing: { jaeger_addr: "[2001:db8::2]:4317" },
    firewall: { file_template: expect.stringContaining("ip6 saddr { 2001:db8:7:8::/64 } ct state { new }") },
    registration: { node_reward_type: "type3.1", nns_url: "http://[2001:db8::1]:8080,https://icp-api.io" },
    malicious_behavior: null,
  });
  expect(await runUnit(icConfig, testMachine(host))).toEqual([]);
});

test("what is not given has the values that it always had", async () => {
  const host = machine({ "network.conf": "ipv6_address=2001:db8::17/64\n" });
  await runUnit(icConfig, testMachine(host));
  expect(written(host)).toMatchObject({
    initial_ipv4_config: { public_address: "", public_gateway: "" },
    artifact_pool: { backup: { retention_time_secs: 86_400, purging_interval_secs: 3600 } },
    hypervisor: { query_stats_epoch_length: 600 },
    registration: { node_reward_type: "", nns_url: "http://127.0.0.1:8080" },
  });
});

test("an image without a template has nothing missing", async () => {
  expect(await icConfig.plan(testMachine(fakeHost({ files: { "/boot/config/network.conf": NETWORK } })))).toEqual([]);
});

test.each([
  ["query_stats.conf", "query_stats_epoch_length=1, evil: 2\n"],
  ["query_stats.conf", "query_stats_epoch_length=0x10\n"],
  ["jaeger_addr.conf", 'jaeger_addr=a", evil: "b\n'],
  ["jaeger_addr.conf", "jaeger_addr=a\\\n"],
  ["reward.conf", 'node_reward_type=type3.1"\n'],
  ["reward.conf", "node_reward_type=*/\n"],
])("a wrong value costs itself, is reported with its place, and never gets into the file: %s %j", async (name, text) => {
  const host = machine({ "network.conf": NETWORK, [name]: text });
  const plan = await icConfig.plan(testMachine(host));
  for (const action of isConflict(plan) ? [] : plan) await action.run();
  expect(written(host)).toMatchObject({
    hypervisor: { query_stats_epoch_length: 600 },
    tracing: { jaeger_addr: "" },
    registration: { node_reward_type: "" },
  });
  expect(written(host)).not.toHaveProperty("evil");
  expect(await problemOf(async () => icConfig.plan(testMachine(host)))).toMatchObject({
    where: { line: 1 },
    what: expect.stringContaining("all other settings are in force"),
  });
});

test("an automatic address is waited for", async () => {
  const host = machine({});
  await expect(icConfig.plan(testMachine(host))).rejects.toMatchObject({ retryable: true, problem: { code: "ic-config-without-address" } });
});

test.each([
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8::/64"],
  ["fd00:0:0:ff::", "fd00:0:0:ff::/64"],
  ["::1", "::1/128"],
])("the neighbours of %s are in %s", (address, network) => {
  expect(neighbourhood(address)).toBe(network);
});

const CONFIG = "/run/config/config.json";
const DEVELOPMENT = "/etc/allow_console_root";

function handedOver(config: string, more: Readonly<Record<string, string>> = {}): FakeHost {
  return fakeHost({ files: { [TEMPLATE]: template, [CONFIG]: config, ...more }, attributes: { [FILE]: { mode: 0o644 } } });
}

test.each(["1.0.0", "1.9.0", "1.17.0"])("config.json of version %s fills it in, whatever older files say", async (version) => {
  const host = handedOver(sampleConfig(version), {
    "/boot/config/nns.conf": "nns_url=http://old.example.org\n",
    "/boot/config/reward.conf": "node_reward_type=type1\n",
  });
  await runUnit(icConfig, testMachine(host));
  expect(written(host)).toMatchObject({
    initial_ipv4_config: { public_address: "192.0.2.17/24", public_gateway: "192.0.2.1" },
    domain: "node.example.org",
    artifact_pool: { backup: { retention_time_secs: 86_400, purging_interval_secs: 3600 } },
    hypervisor: { query_stats_epoch_length: 600 },
    firewall: { file_template: expect.stringContaining("ip6 saddr { 2001:db8:7::/64 }") },
    registration: { node_reward_type: "type3.1", nns_url: "https://icp-api.io,https://icp0.io,https://ic0.app" },
    malicious_behavior: null,
  });
  expect(await runUnit(icConfig, testMachine(host))).toEqual([]);
});

test("a host that gives no registry leaves the node itself, as today's", async () => {
  const host = handedOver(sampleConfig("1.17.0", ({ icos_settings }) => (icos_settings["nns_urls"] = [])));
  await runUnit(icConfig, testMachine(host));
  expect(written(host)).toMatchObject({ registration: { nns_url: "http://[::1]:8080" } });
});

test("settings for development count in an image for development alone", async () => {
  const config = sampleConfig("1.17.0", ({ guestos_settings }) => {
    const dev = { malicious_behavior: { a: 'b", evil: "' }, jaeger_addr: "[2001:db8::2]:4317", query_stats_epoch_length: 7 };
    guestos_settings["guestos_dev_settings"] = dev;
  });
  const dev = handedOver(config, { [DEVELOPMENT]: "" });
  await runUnit(icConfig, testMachine(dev));
  expect(written(dev)).toMatchObject({
    malicious_behavior: { a: 'b", evil: "' },
    tracing: { jaeger_addr: "[2001:db8::2]:4317" },
    hypervisor: { query_stats_epoch_length: 7 },
  });
  const prod = handedOver(config);
  await runUnit(icConfig, testMachine(prod));
  expect(written(prod)).toMatchObject({
    malicious_behavior: null,
    tracing: { jaeger_addr: "" },
    hypervisor: { query_stats_epoch_length: 600 },
  });
});
