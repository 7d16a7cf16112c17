import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Check, Finding } from "../../../src/doctor/check.ts";
import { examine } from "../../../src/doctor/examine.ts";
import { monitorCheck } from "../../../src/doctor/monitor.ts";
import { servicesCheck } from "../../../src/doctor/services.ts";
import { systemHost } from "../../../src/system/host.ts";
import { type FakeSystemd, fakeSystemd } from "../../support/fake-systemd.ts";
import { namespaceRoot } from "../../support/namespace.ts";
import { type PrivateBus, privateBus } from "../../support/private-bus.ts";
import { testNode } from "../../support/test-node.ts";

const host = systemHost({ signal: new AbortController().signal });
const monitorFile = join(namespaceRoot(), "run/monitor.json");
let bus: PrivateBus;
let systemd: FakeSystemd;

beforeAll(async () => {
  bus = await privateBus();
  systemd = await fakeSystemd(bus);
  mkdirSync(dirname(monitorFile));
});
beforeEach(() => {
  systemd.units.clear();
  for (const name of ["guestos-boot.service", "guestos-boot-late.service", "guestos-boot.target", "guestos-monitor.service"])
    set(name, "active");
  const seconds = Math.round(Date.now() / 1000);
  writeFileSync(monitorFile, JSON.stringify({ version: 1, pid: 7, since: seconds - 600, time: seconds - 65, units: [] }));
});
afterAll(async () => bus.stop());

function set(name: string, active: string): void {
  systemd.units.set(name, { load: "loaded", active, sub: "running", result: "done" });
}

const texts = (findings: readonly Finding[]): readonly string[] => findings.map(({ level, problem }) => `${level}: ${problem.what}`);
const inspect = async (check: Check): Promise<readonly [string | undefined, readonly string[]]> => {
  const [examined] = await examine([check], testNode(host, { monitorFile }), host.signal);
  return [examined?.fact, texts(examined?.findings ?? [])];
};

test("services that are up, or that an image does not have, are fine; so is a monitor that inspected a minute ago", async () => {
  expect(await inspect(servicesCheck)).toEqual(["guestos-boot.target is reached, nothing has failed", []]);
  expect(await inspect(monitorCheck)).toEqual(["it runs, last inspection 1 minute ago", []]);
});

test("a service that has failed is named, whichever of ours it is", async () => {
  set("node_exporter.service", "failed");
  set("guestos-monitor.service", "failed");
  expect(await inspect(servicesCheck)).toEqual([
    undefined,
    ["wrong: guestos-monitor.service has failed", "wrong: node_exporter.service has failed"],
  ]);
  expect((await inspect(monitorCheck))[1]).toEqual(["wrong: the monitor does not run: nothing is repaired automatically"]);
});

test("a state of the monitor that cannot be read is unknown", async () => {
  writeFileSync(monitorFile, "{");
  expect(await inspect(monitorCheck)).toEqual([undefined, ["unknown: the state of the monitor is damaged"]]);
});

test("without systemd's answer no one knows", async () => {
  vi.stubEnv("DBUS_SYSTEM_BUS_ADDRESS", `unix:path=${join(namespaceRoot(), "no-bus")}`);
  for (const check of [servicesCheck, monitorCheck]) {
    expect(await inspect(check)).toEqual([undefined, ["unknown: cannot reach the system bus"]]);
  }
  vi.unstubAllEnvs();
});
