import { expect, test } from "vitest";
import { setupos } from "../../../../src/profiles/setupos.ts";
import { checkAge } from "../../../../src/units/installer/check-age.ts";
import { checkHardware } from "../../../../src/units/installer/check-hardware.ts";
import { checkNns } from "../../../../src/units/installer/check-nns.ts";
import { checkNetwork } from "../../../../src/units/installer/check-network.ts";
import { checkTime } from "../../../../src/units/installer/check-time.ts";
import { fakeHost, type FakeMachine } from "../../../support/fake-host.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { testMachine, type TestMachine } from "../../../support/test-machine.ts";

const CONFIG = JSON.stringify({
  config_version: "1.17.0",
  network_settings: {
    ipv6_config: { Deterministic: { prefix: "2602:ffe4:801:17", prefix_length: 64, gateway: "2602:ffe4:801:17::1" } },
  },
  icos_settings: {
    mgmt_mac: "b0:7b:25:c8:f6:c0",
    deployment_environment: "mainnet",
    nns_urls: ["https://icp-api.io/", "https://icp0.io/"],
  },
});

const machine = (others: FakeMachine = {}): TestMachine =>
  testMachine(fakeHost({ ...others, files: { "/run/guestos-boot/node-config.json": CONFIG, ...others.files } }), setupos.layout);
const curl = (url: string): string => `curl --insecure --head --silent --output /dev/null --connect-timeout 3 --max-time 15 -- ${url}`;
const waitsync = (tries: number): string => `chronyc -n waitsync ${tries} 0 0 2`;

test.each([
  ["ic.setupos.run_checks=0", true],
  ["ic.setupos.run_checks=1", false],
  ["ic.setupos.run_checks=0 ic.setupos.run_checks=true", false],
  ["ic.setupos.run_checks=00", false],
  ["", false],
])("with %s on the command line, what a laboratory cannot meet is left out: %s", async (words, isLeftOut) => {
  const one = machine({ files: { "/proc/cmdline": `ro ${words}\n` } });
  for (const unit of [checkAge, checkHardware, checkNetwork, checkTime, checkNns])
    expect((await unit.absent?.(one)) !== undefined).toBe(isLeftOut);
});

test("an old image is noted, and stops nothing", async () => {
  const old = machine({ files: { "/commit-time": "1000000\n" } });
  expect(await runUnit(checkAge, old)).toEqual([]);
  expect(old.notes.join()).toMatch(/the stick's image is \d+ days old/);
  const fresh = machine({ files: { "/commit-time": `${Math.floor(Date.now() / 1000) - 41 * 86_400}\n` } });
  expect(await runUnit(checkAge, fresh)).toEqual([]);
  expect(fresh.notes).toEqual([]);
});

test("one node of the NNS that answers is enough; without any it is tried again", async () => {
  expect(
    await runUnit(checkNns, machine({ commands: { [curl("https://icp-api.io")]: { status: 7 }, [curl("https://icp0.io")]: "" } })),
  ).toEqual([]);
  const silent = { [curl("https://icp-api.io")]: { status: 28 }, [curl("https://icp0.io")]: { status: 6 } };
  await expect(runUnit(checkNns, machine({ commands: silent }))).rejects.toMatchObject({
    problem: { code: "nns-not-reached" },
    retryable: true,
  });
});

test("a clock of the network is left as it is; one that is not found says which servers were asked", async () => {
  const built = { files: { "/commit-time": "1000000\n" } };
  expect(await runUnit(checkTime, machine({ ...built, commands: { [waitsync(1)]: "" } }))).toEqual([]);
  const commands = { [waitsync(1)]: { status: 1 }, [waitsync(30)]: { status: 1 }, "chronyc -n sources": "^? 192.0.2.1" };
  await expect(runUnit(checkTime, machine({ ...built, commands }))).rejects.toMatchObject({
    problem: { code: "time-not-found", found: "^? 192.0.2.1" },
  });
});

test("a clock that is before the making of the stick is set first", async () => {
  const later = Math.floor(Date.now() / 1000) + 1000;
  const one = machine({ files: { "/commit-time": `${later}\n` }, commands: { [waitsync(1)]: "", [`date --utc --set=@${later}`]: "" } });
  // The clock of the test does not move.
  await expect(runUnit(checkTime, one)).rejects.toThrow(/did not converge/);
  expect(one.host).toMatchObject({ effects: expect.arrayContaining([`run date --utc --set=@${later}`]) as unknown });
});
