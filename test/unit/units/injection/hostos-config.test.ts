import { expect, test } from "vitest";
import { readNetworkConfFile } from "../../../../src/config/node-network.ts";
import { profiles } from "../../../../src/profiles/profiles.ts";
import { hostosConfig } from "../../../../src/units/injection/hostos-config.ts";
import { fakeHost } from "../../../support/fake-host.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine } from "../../../support/test-machine.ts";

const FILE = "/boot/config/config.json";
const { layout } = profiles.hostos;
const config = {
  config_version: "1.0.0",
  network_settings: { ipv6_config: { Deterministic: { prefix: "2602:ffe4:801:17", prefix_length: 64, gateway: "2602:ffe4:801:17::1" } } },
  icos_settings: { mgmt_mac: "b0:7b:25:c8:f6:c0", deployment_environment: "mainnet" },
  an_old_name: true,
};

const machine = (text: string | undefined) => testMachine(fakeHost({ files: text === undefined ? {} : { [FILE]: text } }), layout);

test("the file of an earlier version is written in this one, once, with a note of what is left out", async () => {
  const subject = machine(JSON.stringify(config));
  expect(await runUnit(hostosConfig, subject)).toEqual([expect.stringMatching(/^bring \S+ from version 1\.0\.0 /)]);
  expect(subject.notes).toEqual([expect.stringContaining("an_old_name")]);
  const written: unknown = JSON.parse(subject.host.files.get(FILE)?.toString() ?? "");
  expect(written).toMatchObject({ config_version: "1.17.0", icos_settings: config.icos_settings });
  expect(written).not.toHaveProperty("an_old_name");
  expect(await runUnit(hostosConfig, subject)).toEqual([]);
});

test("a file with a mistake is named with its place, stays as it is, and keeps no other unit from running", async () => {
  const text = JSON.stringify({ ...config, icos_settings: { ...config.icos_settings, mgmt_mac: "no address" } });
  const subject = machine(text);
  await expect(hostosConfig.plan(subject)).rejects.toMatchObject({
    partial: true,
    problem: { where: { file: FILE, line: 1 }, found: expect.stringContaining("no address") },
  });
  expect(subject.host.effects).toEqual([]);
});

test("a host without its configuration is told where it should be", async () => {
  await expect(hostosConfig.plan(machine(undefined))).rejects.toMatchObject({
    problem: { code: "hostos-config-missing", where: { file: FILE } },
  });
});

test("the host's name and address follow from the MAC address of its BMC", async () => {
  const { conf, isFromHost } = await readNetworkConfFile(machine(JSON.stringify(config)).host, layout);
  expect(isFromHost).toBe(false);
  expect(conf).toMatchObject({ hostname: "host-b07b25c8f6c0", ipv6_gateway: "2602:ffe4:801:17::1" });
  expect(conf.ipv6_address).toMatch(/^2602:ffe4:801:17:6800:[\da-f]+:fe[\da-f]+:[\da-f]+\/64$/);
});
