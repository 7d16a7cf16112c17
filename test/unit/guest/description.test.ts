import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { HostosConfig } from "../../../src/config/hostos-settings.ts";
import { describe, guestMachine, type HostFacts } from "../../../src/guest/description.ts";
import { guestPlaces } from "../../../src/guest/places.ts";
import { profiles } from "../../../src/profiles/profiles.ts";
import { fakeHost } from "../../support/fake-host.ts";
import { problemOf } from "../../support/problem-of.ts";

const places = guestPlaces(guestosLayout);
const slot = { slot: "A", onTrial: false, fellBack: false, kernel: "/k", initrd: "/i", cmdline: "quiet" } as const;
const facts: HostFacts = { isForDevelopment: false, encryption: "off", hugePages: 0, diskIsBlock: true };
const icos = { mgmt_mac: "b0:7b:25:c8:f6:c0", deployment_environment: "mainnet" };
const config = (over: object = {}, dev: object = {}) =>
  HostosConfig.parse({
    config_version: "1.17.0",
    icos_settings: { ...icos, ...over },
    hostos_settings: { hostos_dev_settings: { vm_memory: 4, vm_nr_of_vcpus: 2, vm_cpu: "qemu", ...dev } },
  });

test("in production the guest has the memory and the processors of a node, whatever the configuration says", () => {
  expect(describe(config(), facts, places, slot)).toMatchObject({
    name: "guestos",
    accelerated: true,
    memory: 486 * 1024,
    processors: 64,
    hugePages: false,
    firmware: { kind: "uefi" },
    network: { bridge: "br6", mac: expect.stringMatching(/^6a:01:/) },
    vsock: 3,
    cmdline: "quiet",
    disk: { path: "/dev/hostlvm/guestos", kind: "block" },
  });
});

test("in an image for development the configuration says how large it is, and whether it is emulated, without UEFI then", () => {
  const development = { ...facts, isForDevelopment: true };
  const emulated = describe(config(), development, places, slot);
  expect(emulated).toMatchObject({ accelerated: false, memory: 4096, processors: 2 });
  expect(emulated.firmware).toBe(undefined);
  expect(describe(config({}, { vm_cpu: "kvm" }), development, places, slot)).toMatchObject({
    accelerated: true,
    firmware: { kind: "uefi" },
  });
});

test("huge pages are taken when there are enough of them", () => {
  const enough = 486 * 1024 ** 3;
  expect(describe(config(), { ...facts, hugePages: enough }, places, slot).hugePages).toBe(true);
  expect(describe(config(), { ...facts, hugePages: enough - 1 }, places, slot).hugePages).toBe(false);
});

test("a guest whose memory is to be encrypted runs in no other way", async () => {
  const trusted = config({ enable_trusted_execution_environment: true });
  expect(describe(trusted, { ...facts, encryption: "on", hugePages: 2 ** 50 }, places, slot)).toMatchObject({
    firmware: { kind: "sev-snp" },
    hugePages: false,
  });
  expect(await problemOf(() => describe(trusted, facts, places, slot))).toMatchObject({ code: "memory-not-encrypted" });
});

test.each([
  ["no kvm_amd", {}, { found: expect.stringContaining("kvm_amd is not loaded"), todo: expect.stringContaining("modprobe kvm_amd") }],
  ["N", { "/sys/module/kvm_amd/parameters/sev_snp": "N\n" }, { todo: expect.stringContaining("firmware") }],
  ["an older kernel", { "/sys/module/kvm_amd/parameters/sev": "Y\n" }, { todo: expect.stringContaining("firmware") }],
])("of a kernel that cannot encrypt, it is told why: %s", async (_, files, problem) => {
  const content = JSON.stringify({ config_version: "1.17.0", icos_settings: { ...icos, enable_trusted_execution_environment: true } });
  const host = fakeHost({ files: { "/boot/config/config.json": content, ...files } });
  const { layout } = profiles.hostos;
  expect(await problemOf(async () => guestMachine(host, layout, guestPlaces(layout), slot))).toMatchObject({
    code: "memory-not-encrypted",
    ...problem,
  });
});

test.each([{ mgmt_mac: null }, { deployment_environment: "unknown" }])("without %j there is no address", async (over) => {
  expect(await problemOf(() => describe(config(over), facts, places, slot))).toMatchObject({ code: "guest-mac-not-known" });
});

test("docs/hostos.md names the places that the machine has", () => {
  const text = readFileSync("docs/hostos.md", "utf8");
  for (const place of [places.serialLog, places.disk]) expect(text).toContain(place);
});
