import { expect, test } from "vitest";
import { setupos } from "../../../../src/profiles/setupos.ts";
import { checkAge } from "../../../../src/units/installer/check-age.ts";
import { checkConfig } from "../../../../src/units/installer/check-config.ts";
import { checkElectedVersion } from "../../../../src/units/installer/check-elected-version.ts";
import { checkHardware } from "../../../../src/units/installer/check-hardware.ts";
import { checkHsm } from "../../../../src/units/installer/check-hsm.ts";
import { checkNns } from "../../../../src/units/installer/check-nns.ts";
import { checkNetwork } from "../../../../src/units/installer/check-network.ts";
import { checkTime } from "../../../../src/units/installer/check-time.ts";
import { fakeHost, type FakeMachine } from "../../../support/fake-host.ts";
import { BMC, lanPrint, nodeHost, nodeMachine, nvme, STICK as STICK_DRIVE } from "../../../support/node-machines.ts";
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
  for (const unit of [checkAge, checkHardware, checkNetwork, checkTime, checkNns, checkElectedVersion, checkHsm])
    expect((await unit.absent?.(one)) !== undefined).toBe(isLeftOut);
});

test("an old image is noted, and stops nothing", async () => {
  const old = machine({ files: { "/commit-time": "1000000\n" } });
  expect(await runUnit(checkAge, old)).toEqual([]);
  expect(old.notes.join()).toMatch(/the stick's image is \d+ days old/);
  const early = machine({ files: { "/commit-time": `${Math.floor(Date.now() / 1000) + 1000}\n` } });
  expect(await runUnit(checkAge, early)).toEqual([]);
  expect(early.notes).toEqual(["it is not known how old the stick is"]);
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

test("a machine whose own clock cannot be set is noted, and stops nothing", async () => {
  const hwclock = "hwclock --systohc --utc --noadjfile";
  const broken = { status: 1, stderr: "hwclock: Cannot access the Hardware Clock via any known method.\n" };
  const one = machine({
    files: { "/commit-time": "1000000\n" },
    commands: { [waitsync(1)]: { status: 1 }, [waitsync(30)]: "", [hwclock]: broken },
  });
  // chrony of the test does not know it afterwards either.
  await expect(runUnit(checkTime, one)).rejects.toThrow(/did not converge/);
  expect(one.notes.join()).toMatch(/clock of the machine itself could not be set: .*Cannot access the Hardware Clock/);
});

test("a clock that is before the making of the stick is set first", async () => {
  const later = Math.floor(Date.now() / 1000) + 1000;
  const one = machine({ files: { "/commit-time": `${later}\n` }, commands: { [waitsync(1)]: "", [`date --utc --set=@${later}`]: "" } });
  // The clock of the test does not move.
  await expect(runUnit(checkTime, one)).rejects.toThrow(/did not converge/);
  expect(one.host).toMatchObject({ effects: expect.arrayContaining([`run date --utc --set=@${later}`]) as unknown });
});

const PROGRAM = "/opt/ic/bin/check-elected-version";
const IMAGE = { sha256: "0".repeat(64), bytes: 1, disk: 1, head: "0".repeat(64) };
const IMAGES = JSON.stringify({ format: 1, version: "1.2.3", hostos: IMAGE, guestos: IMAGE });
const ASKED = `${PROGRAM} 1.2.3 https://icp-api.io https://icp0.io`;
const trusted = JSON.stringify({
  ...(JSON.parse(CONFIG) as object),
  icos_settings: {
    ...(JSON.parse(CONFIG) as { readonly icos_settings: object }).icos_settings,
    enable_trusted_execution_environment: true,
  },
});

test.each([
  ["elected", { status: 0 }, undefined],
  ["not elected", { status: 1, stderr: "asking\nnot among 3 versions\n" }, { code: "version-not-elected", found: "not among 3 versions" }],
  ["not elected, without a word", { status: 1 }, { code: "version-not-elected", found: "an answer that it is not" }],
  ["not known", { status: 7 }, { code: "version-election-not-known" }],
  ["not known, without a program", undefined, { code: "version-election-not-known", found: `this image has no ${PROGRAM}` }],
] as const)("a version that is %s: noted, and refused where keys depend on it", async (_, answer, problem) => {
  const files = { "/data/images.json": IMAGES, ...(answer === undefined ? {} : { [PROGRAM]: "" }) };
  const commands = answer === undefined ? {} : { [ASKED]: answer };
  const open = machine({ files, commands });
  expect(await runUnit(checkElectedVersion, open)).toEqual([]);
  expect(open.notes).toEqual(problem === undefined ? [] : [expect.stringContaining("the version 1.2.3 of GuestOS")]);
  const closed = runUnit(checkElectedVersion, machine({ files: { ...files, "/run/guestos-boot/node-config.json": trusted }, commands }));
  if (problem === undefined) expect(await closed).toEqual([]);
  else await expect(closed).rejects.toMatchObject({ problem });
});

/** With drives that a node can be installed on. */
const hsmMachine = (files: Readonly<Record<string, string>>, filled: readonly string[] = []): TestMachine =>
  testMachine(
    nodeHost(nodeMachine({ disks: [STICK_DRIVE, nvme(0), nvme(1)], filled }), {
      "/run/guestos-boot/node-config.json": CONFIG,
      ...STICK_FILES,
      ...hub,
      ...files,
    }),
    setupos.layout,
  );
const usb = (name: string, vendor: string, manufacturer: string, product: string) => ({
  [`/sys/bus/usb/devices/${name}/idVendor`]: `${vendor}\n`,
  [`/sys/bus/usb/devices/${name}/manufacturer`]: `${manufacturer}\n`,
  [`/sys/bus/usb/devices/${name}/product`]: `${product}\n`,
});
const STICK_FILES = { "/data/images.json": IMAGES, "/config/config.ini": "", "/data/deployment.json": "{}" };
const hub = { ...usb("usb1", "1d6b", "Linux xhci-hcd", "xHCI Host Controller"), "/sys/bus/usb/devices/1-0:1.0/bInterfaceClass": "09" };

test.each([
  ["by its vendor", usb("1-1", "20a0", "", ""), true],
  ["by its name", usb("1-1", "1234", "Nitrokey", "Nitrokey HSM"), true],
  ["by its vendor's name", usb("1-1", "1234", "Clay Logic", "HSM"), true],
  ["another device", usb("1-1", "046b", "American Megatrends Inc.", "Virtual Keyboard"), false],
  ["none", {}, false],
])("an HSM is known: %s", async (_, device, isThere) => {
  const one = hsmMachine(device);
  const plan = await checkHsm.plan(one);
  expect(plan).toMatchObject(
    isThere ? [] : [{ description: "wait until the HSM is plugged in, for three hours at most", effect: "activate" }],
  );
});

test("a rehearsal waits for no HSM, and says that the installation would", async () => {
  const one = hsmMachine({ "/config/config.ini": "rehearse=true\n" });
  expect(await runUnit(checkHsm, one)).toEqual([]);
  expect(one.notes.join()).toContain("the installation would wait for it");
});

test("with the operator's key on the stick, there is no HSM to wait for", async () => {
  const key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END PRIVATE KEY-----\n";
  const { icos_settings: settings, ...others } = JSON.parse(CONFIG) as { readonly icos_settings: object };
  const config = JSON.stringify({ ...others, icos_settings: { ...settings, node_operator_private_key: key } });
  expect(await checkHsm.plan(hsmMachine({ "/run/guestos-boot/node-config.json": config }))).toEqual([]);
});

test("drives that are refused are told of before an HSM is waited for, with what each of them would be", async () => {
  const one = hsmMachine({}, ["/dev/nvme0n1"]);
  await expect(checkHsm.plan(one)).rejects.toMatchObject({ problem: { code: "disk-data-strange" } });
  expect(one.notes.map((note) => note.replaceAll(/ \(.*?\)|:.*|;.*/g, ""))).toEqual([
    "/dev/nvme1n1, taken as data drive",
    "/dev/nvme0n1 is left",
    "/dev/sda is left",
  ]);
});

const CONFIG_INI = "ipv6_prefix=2602:ffe4:801:17\nipv6_gateway=2602:ffe4:801:17::1\nnode_reward_type=type3.1\n";
const deploymentJson = (mgmtMac: string | null): string =>
  JSON.stringify({
    deployment: { deployment_environment: "mainnet", mgmt_mac: mgmtMac },
    nns: { urls: ["https://icp-api.io"] },
    dev_vm_resources: { memory: "16", cpu: "kvm", nr_of_vcpus: 16 },
  });
const STICK = { "/config/config.ini": CONFIG_INI, "/data/deployment.json": deploymentJson(null) };
const NO_BMC = { status: 1, stderr: "Could not open device at /dev/ipmi0: No such file or directory\n" };
const withBmc = (answer: string | { readonly status: number }, files: Readonly<Record<string, string>>): TestMachine =>
  testMachine(fakeHost({ files, commands: { "ipmitool lan print": answer } }), setupos.layout);

test("the address of the BMC becomes a part of the configuration; one in deployment.json counts in its place", async () => {
  const asked = withBmc(lanPrint(BMC), STICK);
  expect(await runUnit(checkConfig, asked)).toHaveLength(1);
  expect(await asked.host.readText("/run/guestos-boot/node-config.json")).toContain(BMC);
  const without = withBmc(NO_BMC, { ...STICK, "/data/deployment.json": deploymentJson(BMC) });
  expect(await runUnit(checkConfig, without)).toHaveLength(1);
});

test("a BMC that tells no address is what is wrong, and not the stick", async () => {
  await expect(runUnit(checkConfig, withBmc(NO_BMC, STICK))).rejects.toMatchObject({
    problem: {
      code: "bmc-not-read",
      found: expect.stringContaining("/dev/ipmi0") as unknown,
      todo: expect.stringMatching(/firmware that the BMC.*mgmt_mac in deployment\.json/) as unknown,
    },
  });
  await expect(runUnit(checkConfig, withBmc(lanPrint("00:00:00:00:00:00"), STICK))).rejects.toMatchObject({
    problem: { code: "bmc-address-none" },
  });
});

test("a BMC that tells no address is told of beside the mistakes of the stick", async () => {
  const files = { ...STICK, "/config/config.ini": CONFIG_INI.replace("type3.1", "type2") };
  await expect(runUnit(checkConfig, withBmc(NO_BMC, files))).rejects.toMatchObject({
    problem: { code: "several-problems", found: expect.stringMatching(/value-not-usable.*bmc-not-read/) as unknown },
  });
});

test("a stick without deployment.json is not whole, whatever the BMC tells", async () => {
  for (const answer of [NO_BMC, lanPrint(BMC)])
    await expect(
      runUnit(checkConfig, withBmc(answer, { "/config/config.ini": CONFIG_INI, "/data/images.json": IMAGES })),
    ).rejects.toMatchObject({
      problem: { code: "stick-config-not-whole", todo: expect.stringContaining("write the stick again") as unknown },
    });
});
