import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { guestosLayout } from "../../../src/config/layout.ts";
import { isConflict } from "../../../src/boot/unit.ts";
import { journalbeat } from "../../../src/units/journalbeat.ts";
import { nodeExporter } from "../../../src/units/node-exporter.ts";
import { type FakeHost, fakeHost } from "../../support/fake-host.ts";
import { type FakeSystemd, fakeSystemd } from "../../support/fake-systemd.ts";
import { type PrivateBus, privateBus } from "../../support/private-bus.ts";
import { runUnit } from "../../support/run-unit.ts";
import { testMachine } from "../../support/test-machine.ts";

const EXPORTER = "node_exporter.service";
const SHIPPER = "systemd-journal-upload.service";
const CONF = "/boot/config/journalbeat.conf";
let bus: PrivateBus;
let systemd: FakeSystemd;

beforeAll(async () => {
  bus = await privateBus();
  systemd = await fakeSystemd(bus);
});
afterAll(async () => bus.stop());

beforeEach(() => {
  systemd.jobs.length = 0;
  systemd.units.clear();
  for (const name of [EXPORTER, SHIPPER]) systemd.units.set(name, { load: "loaded", active: "inactive", sub: "dead", result: "done" });
});

function set(name: string, change: Partial<{ load: string; active: string; sub: string; result: string }>): void {
  systemd.units.set(name, { load: "loaded", active: "inactive", sub: "dead", result: "done", ...change });
}

test("the exporter is started when it does not run, and left alone when it does", async () => {
  expect(await runUnit(nodeExporter, testMachine(fakeHost()))).toEqual([`start ${EXPORTER}, which is inactive`]);
  expect(await runUnit(nodeExporter, testMachine(fakeHost()))).toEqual([]);
  expect(systemd.jobs).toEqual([`StartUnit ${EXPORTER}`]);
});

test("an exporter that failed before is started again", async () => {
  set(EXPORTER, { active: "failed", sub: "failed" });
  expect(await runUnit(nodeExporter, testMachine(fakeHost()))).toEqual([`start ${EXPORTER}, which is failed`]);
});

test.each(["not-found", "masked", "bad-setting"])("an exporter whose unit is %s is a conflict, and no job is made", async (load) => {
  set(EXPORTER, { load });
  const plan = await nodeExporter.plan(testMachine(fakeHost()));
  expect(isConflict(plan) && plan.conflict.found).toBe(`its unit file is ${load}`);
  expect(systemd.jobs).toEqual([]);
});

test("an exporter that does not start is an error that says where to read on", async () => {
  set(EXPORTER, { result: "failed" });
  await expect(runUnit(nodeExporter, testMachine(fakeHost()))).rejects.toMatchObject({
    problem: { what: `cannot start ${EXPORTER}`, todo: `journalctl -b -u ${EXPORTER}` },
  });
});

function shipping(conf: string): FakeHost {
  return fakeHost({ files: { [CONF]: conf } });
}

test.each([
  ["no journalbeat.conf", fakeHost()],
  ["no hosts in it", shipping("journalbeat_hosts=\njournalbeat_tags=lab\n")],
])("with %s nothing runs, and systemd is not even asked", async (_, host) => {
  expect(await runUnit(journalbeat, testMachine(host))).toEqual([]);
  expect(host.effects).toEqual([]);
  expect(systemd.jobs).toEqual([]);
});

test("with a host, the shipper is configured and started, once", async () => {
  const host = shipping("journalbeat_hosts=logs.example.org:19532\n");
  expect(await runUnit(journalbeat, testMachine(host))).toEqual([`ship the journal to logs.example.org:19532 by ${SHIPPER}`]);
  expect(host.files.get(guestosLayout.journalUpload)).toContain("[Upload]\nURL=logs.example.org:19532\n");
  expect(await runUnit(journalbeat, testMachine(host))).toEqual([]);
  expect(systemd.jobs).toEqual([`RestartUnit ${SHIPPER}`]);
});

test("what the shipper cannot do is said", async () => {
  const machine = testMachine(shipping("journalbeat_hosts=one.example.org two.example.org\njournalbeat_tags=lab\n"));
  await runUnit(journalbeat, machine);
  expect(machine.notes).toEqual([
    `logs go to one.example.org alone: ${SHIPPER} knows one host, two.example.org ignored`,
    `journalbeat_tags ignored: ${SHIPPER} knows no tags`,
  ]);
});

test("another host restarts the shipper, and so does a shipper that died", async () => {
  const host = shipping("journalbeat_hosts=one.example.org\n");
  await runUnit(journalbeat, testMachine(host));
  host.files.set(CONF, "journalbeat_hosts=two.example.org\n");
  expect(await runUnit(journalbeat, testMachine(host))).toHaveLength(1);
  set(SHIPPER, { active: "failed", sub: "failed" });
  expect(await runUnit(journalbeat, testMachine(host))).toHaveLength(1);
  expect(systemd.jobs).toHaveLength(3);
});

test("a restart that failed is not taken for done by the next run", async () => {
  const host = shipping("journalbeat_hosts=one.example.org\n");
  set(SHIPPER, { result: "failed", active: "active" });
  await expect(runUnit(journalbeat, testMachine(host))).rejects.toThrow(`cannot restart ${SHIPPER}`);
  set(SHIPPER, { active: "active" });
  expect(await runUnit(journalbeat, testMachine(host))).toHaveLength(1);
});

test("taking the hosts out stops the shipper", async () => {
  const host = shipping("journalbeat_hosts=one.example.org\n");
  await runUnit(journalbeat, testMachine(host));
  host.files.delete(CONF);
  expect(await runUnit(journalbeat, testMachine(host))).toEqual([`stop ${SHIPPER}: journalbeat.conf names no host`]);
  expect([...host.files.keys()]).toEqual([]);
  expect(systemd.jobs.at(-1)).toBe(`StopUnit ${SHIPPER}`);
});

test("an image without the shipper is told by name", async () => {
  systemd.units.delete(SHIPPER);
  await expect(runUnit(journalbeat, testMachine(shipping("journalbeat_hosts=one.example.org\n")))).rejects.toMatchObject({
    problem: { what: `cannot restart ${SHIPPER}`, found: "no unit of that name" },
  });
});
