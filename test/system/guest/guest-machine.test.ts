import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { beforeEach, expect, test } from "vitest";
import type { Layout } from "../../../src/config/layout/layout.ts";
import { guestMachine } from "../../../src/guest/description.ts";
import { type GuestPlaces, guestPlaces } from "../../../src/guest/places.ts";
import { profiles } from "../../../src/profiles/profiles.ts";
import { systemHost } from "../../../src/system/host.ts";
import { namespaceRoot } from "../../support/namespace.ts";
import { problemOf } from "../../support/problem-of.ts";
import { testLayout } from "../../support/test-layout.ts";

let layout: Layout;
let places: GuestPlaces;
const slot = { slot: "A", onTrial: false, fellBack: false, kernel: "/k", initrd: "/i", cmdline: "quiet" } as const;
const config = {
  config_version: "1.17.0",
  network_settings: { ipv6_config: { Deterministic: { prefix: "2602:ffe4:801:17", prefix_length: 64, gateway: "2602:ffe4:801:17::1" } } },
  icos_settings: { mgmt_mac: "b0:7b:25:c8:f6:c0", deployment_environment: "mainnet", nns_urls: ["http://[2001:db8::1]:8080"] },
};

beforeEach(() => {
  layout = testLayout(namespaceRoot(), profiles.hostos.layout);
  places = guestPlaces(layout);
  mkdirSync(dirname(layout.hostosConfig ?? ""), { recursive: true });
  for (const folder of [places.folder, dirname(places.medium)]) mkdirSync(folder, { recursive: true });
});

const make = async (over: object = {}) => {
  writeFileSync(layout.hostosConfig ?? "", JSON.stringify({ ...config, ...over }));
  return guestMachine(systemHost(), layout, places, slot);
};

test("the machine gets a copy of its medium, in a folder that its account reaches; root alone reads both", async () => {
  expect(await problemOf(async () => make())).toMatchObject({ code: "guest-medium-missing" });
  for (const content of ["an image", "another one"]) {
    writeFileSync(places.medium, content, { mode: 0o600 });
    const { medium, ...rest } = await make();
    expect(rest).toMatchObject({ network: { bridge: "br6" }, memory: 486 * 1024 });
    expect(readFileSync(medium ?? "", "utf8")).toBe(content);
    expect(statSync(medium ?? "").mode & 0o777).toBe(0o600);
    expect(dirname(medium ?? "")).toBe(places.folder);
  }
});

test("a configuration that is missing, or has a mistake, is an error that names its place; nothing is made", async () => {
  expect(await problemOf(async () => guestMachine(systemHost(), layout, places, slot))).toMatchObject({ code: "hostos-config-missing" });
  const wrong = { icos_settings: { ...config.icos_settings, mgmt_mac: "no address" } };
  expect(await problemOf(async () => make(wrong))).toMatchObject({ where: { file: layout.hostosConfig, line: 1 } });
  const trusted = { icos_settings: { ...config.icos_settings, enable_trusted_execution_environment: true } };
  expect(await problemOf(async () => make(trusted))).toMatchObject({ code: "memory-not-encrypted" });
  expect(readdirSync(places.folder)).toEqual([]);
});
