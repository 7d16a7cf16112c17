import { expect, test } from "vitest";
import type { MonitorState } from "../../../src/config/state/monitor-state.ts";
import { guestosLayout, volumeBytes } from "../../../src/config/layout/layout.ts";
import { judgeValidity } from "../../../src/doctor/certificate.ts";
import type { Finding } from "../../../src/doctor/check.ts";
import { judgeHeader } from "../../../src/doctor/encryption.ts";
import { judgeMonitor } from "../../../src/doctor/monitor.ts";
import { judgeLink } from "../../../src/doctor/network.ts";
import { judgeRoot } from "../../../src/doctor/root.ts";
import { judgeServices } from "../../../src/doctor/services.ts";
import { judgeSpace } from "../../../src/doctor/space.ts";
import { judgeVolumes } from "../../../src/doctor/volumes.ts";
import type { Mapping } from "../../../src/system/disks/block-devices.ts";
import type { LinkDescription } from "../../../src/system/network/link-description.ts";
import { type VolumeGroup, volumeMapping } from "../../../src/system/disks/lvm.ts";
import type { UnitState } from "../../../src/system/systemd/systemd.ts";

const texts = (findings: readonly Finding[]): readonly string[] => findings.map(({ level, problem }) => `${level}: ${problem.what}`);
const DAY = 24 * 3600 * 1000;
const now = new Date("2026-11-20T12:00:00Z");
const inDays = (days: number): Date => new Date(now.getTime() + days * DAY);

test.each([
  [3650, []],
  [61, []],
  [59, ["notice: node_exporter's certificate expires soon"]],
  [0, ["wrong: node_exporter's certificate has expired"]],
  [-1, ["wrong: node_exporter's certificate has expired"]],
])("a certificate with %i days left", (days, expected) => {
  expect(texts(judgeValidity({ from: inDays(days - 3650), until: inDays(days) }, now, "/c.crt"))).toEqual(expected);
});

test("a certificate that a clock ahead has made is not valid yet", () => {
  const certificate = { from: new Date(now.getTime() + 3_600_000), until: inDays(3650) };
  expect(texts(judgeValidity(certificate, now, "/c.crt"))).toEqual(["wrong: node_exporter's certificate is not valid yet"]);
});

test.each([
  [50, []],
  [10, []],
  [9, ["notice: /var is nearly full"]],
  [1, ["wrong: /var is full"]],
  [0, ["wrong: /var is full"]],
])("a file system with %i %% free", (percent, expected) => {
  expect(texts(judgeSpace("/var", { total: 1000, free: percent * 10 }))).toEqual(expected);
});

test.each([
  ["intact", true, []],
  ["none", false, []],
  ["none", true, ["wrong: the kernel's command line has a root hash, and nothing verifies the root"]],
  ["corrupted", true, ["wrong: a block of the root that was read does not match the root hash"]],
] as const)("a root that is %s, a hash on the command line: %s", (state, hasHash, expected) => {
  expect(texts(judgeRoot(state, hasHash))).toEqual(expected);
});

test("a file system that counts no bytes is full, and not fine", () => {
  expect(texts(judgeSpace("/var", { total: 0, free: 0 }))).toEqual(["wrong: /var is full"]);
});

const copy = { uuid: "11111111-2222-4333-8444-555555555555", sequence: 3n };

test.each([
  ["both copies, as noted", copy.uuid, copy, copy, []],
  ["both copies, and nothing noted yet", undefined, copy, copy, []],
  ["the second copy lost", copy.uuid, copy, undefined, ["wrong: one of the two copies of the LUKS header of the store is damaged"]],
  ["the first copy lost", copy.uuid, undefined, copy, ["wrong: one of the two copies of the LUKS header of the store is damaged"]],
  ["both lost", copy.uuid, undefined, undefined, ["wrong: both copies of the LUKS header of the store are missing"]],
  ["another device", "99999999-2222-4333-8444-555555555555", copy, copy, ["wrong: the store is not the recorded device"]],
])("a LUKS header: %s", (_, uuid, first, second, expected) => {
  expect(texts(judgeHeader("the store", "/dev/vda10", uuid, { first, second }))).toEqual(expected);
});

const EXTENT = 4 * 1024 ** 2;
const groupBytes = 1000 * EXTENT;
const sizes = new Map(guestosLayout.volumes.map(({ name, size }) => [name, Math.floor(volumeBytes(size, groupBytes) / EXTENT) * EXTENT]));
const group: VolumeGroup = { name: "store", extentBytes: EXTENT, extents: 1000, bytes: groupBytes, volumes: sizes };
const mapped = (volumes: ReadonlyMap<string, number>): ReadonlyMap<string, Mapping> =>
  new Map(
    [...volumes].map(([name, bytes]) => {
      const mapping = volumeMapping("store", name);
      return [mapping, { name: mapping, uuid: "", device: "/dev/dm-1", bytes, deviceNumber: "253:1" }];
    }),
  );

test("volumes of the sizes that they are made with, or larger, are fine", () => {
  expect(judgeVolumes(guestosLayout, group, mapped(sizes))).toEqual([]);
  const grown = new Map([...sizes, ["shared-data", 500 * EXTENT]]);
  expect(judgeVolumes(guestosLayout, { ...group, volumes: grown }, mapped(grown))).toEqual([]);
});

test("a volume that is missing, not active, of two sizes, or small is told apart", () => {
  const without = (name: string): Map<string, number> => new Map([...sizes].filter(([each]) => each !== name));
  const data = "shared-data";
  const small = new Map([...sizes, [data, 80 * EXTENT]]);
  expect(texts(judgeVolumes(guestosLayout, { ...group, volumes: without(data) }, mapped(sizes)))).toEqual([
    "wrong: the volume shared-data is missing",
  ]);
  expect(texts(judgeVolumes(guestosLayout, group, mapped(without(data))))).toEqual(["wrong: the volume shared-data is not active"]);
  expect(texts(judgeVolumes(guestosLayout, group, mapped(small)))).toEqual([
    "wrong: the kernel has another size of the volume shared-data than LVM",
  ]);
  expect(texts(judgeVolumes(guestosLayout, { ...group, volumes: small }, mapped(small)))).toEqual([
    "notice: the volume shared-data is smaller than a node of this size would make it",
  ]);
});

const FILE = "/run/systemd/network/10-eth0.network";
const link: LinkDescription = {
  networkFile: FILE,
  administrativeState: "configured",
  operationalState: "routable",
  hasCarrier: true,
  static: { addresses: [], gateways: [], nameServers: [], domains: [] },
};

test.each<readonly [string, Partial<LinkDescription>, readonly string[]]>([
  ["configured", {}, []],
  ["without a carrier", { hasCarrier: false, administrativeState: "configuring" }, ["wrong: eth0 has no carrier"]],
  [
    "by another file",
    { networkFile: "/etc/systemd/network/a.network" },
    ["wrong: eth0 is not configured by the file that was made for it"],
  ],
  ["being configured", { administrativeState: "configuring" }, ["wrong: systemd-networkd is not done with eth0"]],
  ["failed", { administrativeState: "failed" }, ["wrong: systemd-networkd could not configure eth0"]],
  ["unmanaged", { administrativeState: "unmanaged" }, ["wrong: systemd-networkd could not configure eth0"]],
])("an interface that is %s", (_, given, expected) => {
  expect(texts(judgeLink("eth0", { ...link, ...given }, FILE))).toEqual(expected);
});

const state = (active: string): UnitState => ({ load: "loaded", active, sub: "x" });
const services = (given: Readonly<Record<string, string>>): ReadonlyMap<string, UnitState> =>
  new Map(
    Object.entries({
      "guestos-boot.service": "active",
      "guestos-boot-late.service": "active",
      "guestos-boot.target": "active",
      ...given,
    }).map(([name, active]) => [name, state(active)]),
  );

test.each<readonly [string, Readonly<Record<string, string>>, readonly string[]]>([
  ["all up", { "guestos-go-back.service": "inactive", "filebeat.service": "inactive" }, []],
  ["one failed", { "ssh.service": "failed" }, ["wrong: ssh.service has failed"]],
  [
    "a failed stage, of which the target is no news",
    { "guestos-boot.service": "failed", "guestos-boot.target": "inactive" },
    ["wrong: guestos-boot.service has failed"],
  ],
  [
    "a boot under way",
    { "guestos-boot-late.service": "activating", "guestos-boot.target": "inactive" },
    ["notice: the boot chain is still running"],
  ],
  ["a target that someone stopped", { "guestos-boot.target": "inactive" }, ["wrong: guestos-boot.target is not reached"]],
])("services: %s", (_, given, expected) => {
  expect(texts(judgeServices(services(given)))).toEqual(expected);
});

const seconds = now.getTime() / 1000;
const inspected: MonitorState = { version: 1, pid: 7, since: seconds - 7000, time: seconds - 60, units: [] };

test.each<readonly [string, UnitState | undefined, MonitorState | undefined, readonly string[]]>([
  ["running", state("active"), inspected, []],
  ["failed", state("failed"), inspected, ["wrong: the monitor does not run: nothing is repaired automatically"]],
  ["stopped", state("inactive"), undefined, ["wrong: the monitor does not run: nothing is repaired automatically"]],
  ["of unknown state", undefined, inspected, ["wrong: the monitor does not run: nothing is repaired automatically"]],
  ["just started", state("active"), undefined, ["notice: the monitor has not inspected anything yet"]],
  ["stuck", state("active"), { ...inspected, time: seconds - 7201 }, ["wrong: the monitor has not inspected anything for a long time"]],
])("a monitor that is %s", (_, service, seen, expected) => {
  expect(texts(judgeMonitor(service, seen, seconds))).toEqual(expected);
});
