import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { guestosLayout } from "../../../../src/config/layout/layout.ts";
import { isConflict } from "../../../../src/boot/unit.ts";
import { nftables, nftablesNames } from "../../../../src/units/network/nftables.ts";
import { journalGateway } from "../../../../src/units/services/journal-gateway.ts";
import { journalbeat } from "../../../../src/units/services/journalbeat.ts";
import { orchestrator } from "../../../../src/units/services/orchestrator.ts";
import { nodeExporter } from "../../../../src/units/services/node-exporter.ts";
import { type FakeHost, fakeHost } from "../../../support/fake-host.ts";
import { runUnit } from "../../../support/run-unit.ts";
import { systemdOfTests } from "../../../support/systemd-of-tests.ts";
import { testMachine } from "../../../support/test-machine.ts";

const EXPORTER = "node_exporter.service";
const SHIPPER = "systemd-journal-upload.service";
const FILEBEAT = "filebeat.service";
const ORCHESTRATOR = "ic-replica.service";
const CONF = "/boot/config/journalbeat.conf";
const FILEBEAT_CONF = "/boot/config/filebeat.conf";
/** How the receiver is known. */
const TRUSTED = "/etc/ssl/ca/trusted.pem";
const services = systemdOfTests([EXPORTER, SHIPPER]);

test("the exporter is started when it does not run, and left alone when it does", async () => {
  expect(await runUnit(nodeExporter, testMachine(fakeHost()))).toEqual([`start ${EXPORTER}, which is inactive`]);
  expect(await runUnit(nodeExporter, testMachine(fakeHost()))).toEqual([]);
  expect(services.systemd.jobs).toEqual([`StartUnit ${EXPORTER}`]);
});

test("an exporter that failed before is started again", async () => {
  services.set(EXPORTER, { active: "failed", sub: "failed" });
  expect(await runUnit(nodeExporter, testMachine(fakeHost()))).toEqual([`start ${EXPORTER}, which is failed`]);
});

test.each(["not-found", "masked", "bad-setting"])("an exporter whose unit is %s is a conflict, and no job is made", async (load) => {
  services.set(EXPORTER, { load });
  const plan = await nodeExporter.plan(testMachine(fakeHost()));
  expect(isConflict(plan) && plan.conflict.found).toBe(load === "not-found" ? "no unit file" : `its unit file is ${load}`);
  expect(services.systemd.jobs).toEqual([]);
});

test("an exporter that does not start is an error that says where to read on", async () => {
  services.set(EXPORTER, { result: "failed" });
  await expect(runUnit(nodeExporter, testMachine(fakeHost()))).rejects.toMatchObject({
    problem: { what: `cannot start ${EXPORTER}`, todo: `journalctl -b -u ${EXPORTER}` },
  });
});

function shipping(conf: string, more: Readonly<Record<string, string>> = {}): FakeHost {
  return fakeHost({ files: { [CONF]: conf, [TRUSTED]: "a certificate", ...more }, commands: { "logger --journald": "" } });
}

test.each([
  ["no configuration", fakeHost()],
  ["no hosts in it", shipping("journalbeat_hosts=\njournalbeat_tags=lab\n", { [FILEBEAT_CONF]: "elasticsearch_tags=lab\n" })],
])("with %s nothing runs, and systemd is not even asked", async (_, host) => {
  expect(await runUnit(journalbeat, testMachine(host))).toEqual([]);
  expect(host.effects).toEqual([]);
  expect(services.systemd.jobs).toEqual([]);
});

test("with a host, the shipper is configured and started, once", async () => {
  const host = shipping("journalbeat_hosts=logs.example.org\n");
  expect(await runUnit(journalbeat, testMachine(host))).toEqual([`ship the journal to https://logs.example.org:19532 by ${SHIPPER}`]);
  expect(host.files.get(guestosLayout.journalUpload)).toContain(
    `[Upload]\nURL=https://logs.example.org:19532\nServerKeyFile=-\nServerCertificateFile=-\nTrustedCertificateFile=${TRUSTED}\n`,
  );
  expect(await runUnit(journalbeat, testMachine(host))).toEqual([]);
  expect(services.systemd.jobs).toEqual([`RestartUnit ${SHIPPER}`]);
});

test("a node with a key of its own shows it", async () => {
  const { key, certificate } = guestosLayout.journalUploadTls;
  const host = shipping("journalbeat_hosts=logs.example.org\n", { [key]: "a key", [certificate]: "its certificate" });
  await runUnit(journalbeat, testMachine(host));
  expect(host.files.get(guestosLayout.journalUpload)).not.toContain("ServerKeyFile");
});

test("Debian's own store of certificates is the second choice; with neither, nothing is sent to who cannot be known", async () => {
  const [own = "", debian = ""] = guestosLayout.journalUploadTls.trusted;
  const host = shipping("journalbeat_hosts=logs.example.org\n", { [debian]: "many certificates" });
  host.files.delete(own);
  await runUnit(journalbeat, testMachine(host));
  expect(host.files.get(guestosLayout.journalUpload)).toContain(`TrustedCertificateFile=${debian}\n`);
  host.files.delete(debian);
  host.files.delete(guestosLayout.journalUpload);
  const plan = await journalbeat.plan(testMachine(host));
  expect(isConflict(plan) && plan.conflict.what).toBe("cannot verify the identity of https://logs.example.org:19532");
});

test("a file of certificates with none in it is not one, and does not make room for the next place", async () => {
  const [own = "", debian = ""] = guestosLayout.journalUploadTls.trusted;
  const plan = await journalbeat.plan(testMachine(shipping("journalbeat_hosts=logs.example.org\n", { [own]: "", [debian]: "many" })));
  expect(isConflict(plan) && plan.conflict.found).toBe(`${own}, an empty file`);
  expect(services.systemd.jobs).toEqual([]);
});

test("over http:// no certificate is asked for", async () => {
  const host = shipping("journalbeat_hosts=http://10.0.0.1\n");
  host.files.delete(TRUSTED);
  expect(await runUnit(journalbeat, testMachine(host))).toEqual([`ship the journal to http://10.0.0.1:19532 by ${SHIPPER}`]);
});

test("tags travel as an entry of the journal, and further hosts are named as ignored", async () => {
  const machine = testMachine(shipping("journalbeat_hosts=one.example.org two.example.org\njournalbeat_tags=lab eu\n"));
  expect(await runUnit(journalbeat, machine)).toEqual([
    `ship the journal to https://one.example.org:19532 by ${SHIPPER}`,
    "write the tags lab eu to the journal",
  ]);
  expect(machine.host.effects).toContain("run logger --journald");
  expect(machine.notes).toEqual([`logs go to one.example.org alone: ${SHIPPER} supports one host; two.example.org ignored`]);
});

test("where the image has Filebeat, that ships to all hosts, of filebeat.conf before journalbeat.conf", async () => {
  services.set(FILEBEAT, {});
  const host = shipping("journalbeat_hosts=one.example.org two.example.org\njournalbeat_tags=lab\n");
  expect(await runUnit(journalbeat, testMachine(host))).toEqual([`ship the journal to one.example.org two.example.org by ${FILEBEAT}`]);
  expect(host.files.get(guestosLayout.filebeat)).toMatch(/- "https:\/\/one.example.org:9200"\n.*- "https:\/\/two.example.org:9200"\n/s);
  expect(await runUnit(journalbeat, testMachine(host))).toEqual([]);
  host.files.set(FILEBEAT_CONF, "elasticsearch_hosts=http://three.example.org:80\n");
  expect(await runUnit(journalbeat, testMachine(host))).toEqual([`ship the journal to http://three.example.org:80 by ${FILEBEAT}`]);
  expect(services.systemd.jobs).toEqual([`RestartUnit ${FILEBEAT}`, `RestartUnit ${FILEBEAT}`]);
});

test("filebeat.conf without Filebeat is a conflict, for nothing else speaks to Elasticsearch", async () => {
  const host = shipping("journalbeat_hosts=one.example.org\n", { [FILEBEAT_CONF]: "elasticsearch_hosts=es.example.org\n" });
  const plan = await journalbeat.plan(testMachine(host));
  expect(isConflict(plan) && plan.conflict.found).toBe(`no ${FILEBEAT}`);
  expect(services.systemd.jobs).toEqual([]);
});

test("another host restarts the shipper, and so does a shipper that died", async () => {
  const host = shipping("journalbeat_hosts=one.example.org\n");
  await runUnit(journalbeat, testMachine(host));
  host.files.set(CONF, "journalbeat_hosts=two.example.org\n");
  expect(await runUnit(journalbeat, testMachine(host))).toHaveLength(1);
  services.set(SHIPPER, { active: "failed", sub: "failed" });
  expect(await runUnit(journalbeat, testMachine(host))).toHaveLength(1);
  expect(services.systemd.jobs).toHaveLength(3);
});

test("a shipper whose receiver is not there yet is left to systemd, and its last words are a note", async () => {
  services.set(SHIPPER, { then: { active: "activating", sub: "auto-restart" } });
  const machine = testMachine(shipping("journalbeat_hosts=one.example.org\n"));
  await runUnit(journalbeat, machine);
  expect(machine.notes).toEqual([`${SHIPPER} ended and will be started again: activating (auto-restart)`]);
});

test("a shipper that ended permanently is an error", async () => {
  services.set(SHIPPER, { then: { active: "failed", sub: "failed" } });
  await expect(runUnit(journalbeat, testMachine(shipping("journalbeat_hosts=one.example.org\n")))).rejects.toMatchObject({
    problem: { what: `cannot restart ${SHIPPER}`, found: "failed (failed)" },
  });
});

test("a restart that failed is not taken for done by the next run", async () => {
  const host = shipping("journalbeat_hosts=one.example.org\n");
  services.set(SHIPPER, { result: "failed", active: "active" });
  await expect(runUnit(journalbeat, testMachine(host))).rejects.toThrow(`cannot restart ${SHIPPER}`);
  services.set(SHIPPER, { active: "active" });
  expect(await runUnit(journalbeat, testMachine(host))).toHaveLength(1);
});

test("taking the hosts out stops the shipper, whichever it is", async () => {
  const host = shipping("journalbeat_hosts=one.example.org\n");
  await runUnit(journalbeat, testMachine(host));
  host.files.delete(CONF);
  expect(await runUnit(journalbeat, testMachine(host))).toEqual([`stop ${SHIPPER}: no host is configured`]);
  expect([...host.files.keys()]).toEqual([TRUSTED]);
  expect(services.systemd.jobs.at(-1)).toBe(`StopUnit ${SHIPPER}`);
  services.set(FILEBEAT, {});
  host.files.set(FILEBEAT_CONF, "elasticsearch_hosts=es.example.org\n");
  await runUnit(journalbeat, testMachine(host));
  host.files.delete(FILEBEAT_CONF);
  expect(await runUnit(journalbeat, testMachine(host))).toEqual([`stop ${FILEBEAT}: no host is configured`]);
  expect([...host.files.keys()]).toEqual([TRUSTED]);
});

test("an image without the shipper is told by name", async () => {
  services.systemd.units.delete(SHIPPER);
  await expect(runUnit(journalbeat, testMachine(shipping("journalbeat_hosts=one.example.org\n")))).rejects.toMatchObject({
    problem: { what: `cannot restart ${SHIPPER}`, found: "no unit of that name" },
  });
});

test("the orchestrator's start is queued and not waited for, since it is ordered after the chain itself", async () => {
  services.set(ORCHESTRATOR, { result: "never" });
  expect(await runUnit(orchestrator, testMachine(fakeHost()))).toEqual([`queue the start of ${ORCHESTRATOR}, which is inactive`]);
  expect(await runUnit(orchestrator, testMachine(fakeHost()))).toEqual([]);
  expect(services.systemd.jobs).toEqual([`StartUnit ${ORCHESTRATOR}`]);
});

test.each(["active", "activating", "reloading"])("an orchestrator that is %s is left alone", async (active) => {
  services.set(ORCHESTRATOR, { active });
  expect(await runUnit(orchestrator, testMachine(fakeHost()))).toEqual([]);
  expect(services.systemd.jobs).toEqual([]);
});

test("an image without an orchestrator has nothing missing; one that is masked is a conflict", async () => {
  expect(await runUnit(orchestrator, testMachine(fakeHost()))).toEqual([]);
  services.set(ORCHESTRATOR, { load: "masked" });
  const plan = await orchestrator.plan(testMachine(fakeHost()));
  expect(isConflict(plan) && plan.conflict.found).toBe("its unit file is masked");
  expect(services.systemd.jobs).toEqual([]);
});

const GATEWAY = "systemd-journal-gatewayd.socket";
const today = (): FakeHost => fakeHost({ files: { [guestosLayout.guestosConfig]: "{}" } });

test("the journal can be pulled on a node of today's host, and on no other one", async () => {
  services.set(GATEWAY);
  expect(await runUnit(journalGateway, testMachine(fakeHost()))).toEqual([]);
  expect(services.systemd.jobs).toEqual([]);
  expect(await runUnit(journalGateway, testMachine(today()))).toEqual([`start ${GATEWAY}, which is inactive`]);
  expect(await runUnit(journalGateway, testMachine(today()))).toEqual([]);
  expect(services.systemd.jobs).toEqual([`StartUnit ${GATEWAY}`]);
});

test("an image without the gateway has nothing missing, and says so; one that is masked is a conflict", async () => {
  const machine = testMachine(today());
  expect(await runUnit(journalGateway, machine)).toEqual([]);
  expect(machine.notes).toEqual([`absent: this image has no ${GATEWAY}`]);
  services.set(GATEWAY, { load: "masked" });
  const plan = await journalGateway.plan(testMachine(today()));
  expect(isConflict(plan) && plan.conflict.found).toBe("its unit file is masked");
  expect(services.systemd.jobs).toEqual([]);
});

test("the journal is never offered before the firewall's rules are in force, whatever they are", () => {
  expect(journalGateway.requires).toContain(nftables);
  expect(journalGateway.after).toContain(nftablesNames);
  const admitted = /tcp dport \{([^}]*)\}/.exec(readFileSync("etc/guestos/nftables.conf", "utf8"))?.[1];
  expect(admitted).not.toContain("19531");
});
