import { expect, test } from "vitest";
import type { MonitorState } from "../../../src/config/state/monitor-state.ts";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { writeTextfile } from "../../../src/metrics/textfile.ts";
import { profiles } from "../../../src/profiles/profiles.ts";
import { blockOf } from "../../../src/upgrade/boot-state.ts";
import { type FakeHost, fakeHost } from "../../support/fake-host.ts";
import { EventScript } from "../../support/record-events.ts";

const RECORD = "/run/guestos-boot/record.jsonl";
const MONITOR = "/run/guestos-boot/monitor.json";
const accounts = { "/etc/passwd": "root:x:0:0::/root:/bin/sh\n", "/etc/group": "root:x:0:\nnode_exporter:x:986:\n" };
const mounts = ["/", "/boot/config", "/boot/grub", "/var/lib/ic/data"];
const mountinfo = mounts.map((path, index) => `${index + 20} 1 254:${index} / ${path} rw - ext4 /dev/vda${index} rw\n`).join("");

function boot(): string {
  const run = new EventScript([{ name: "nftables" }, { name: "var", requires: ["nftables"] }], { at: 5, stage: "early" });
  const load = run.start(6, { kind: "action", description: "load", effect: "activate" }, run.unit(5, "nftables"));
  run.end(7, load, { kind: "done" }).ended(7, "nftables", { kind: "unchanged", activated: ["load"] });
  run.note(8, run.unit(7, "var"), "slow disk");
  run.ended(9, "var", { kind: "degraded", problem: { code: "test-problem", what: "no" } }).finish(9.5, "degraded");
  return run.events.map((event) => `${JSON.stringify(event)}\n`).join("");
}

const node = {
  ...accounts,
  "/proc/self/mountinfo": mountinfo,
  "/proc/cmdline": "dfinity.system=A\n",
  "/opt/ic/share/version.txt": "1.2.3\n",
  "/boot/grub/grubenv": blockOf({ alternative: "A", cycle: "stable", trial: undefined }, []),
  "/boot/config/intents/var.json": '{"version":1,"about":"var","uuid":"u","phase":"complete"}',
  "/boot/config/intents/store.json": '{"version":1,"about":"store","uuid":"u","phase":"begun"}',
  "/boot/config/intents/crypto.json": "",
  "/var/lib/ic/data/node_operator_private_key.pem": "a key",
  [RECORD]: boot(),
};

const watching: MonitorState = {
  ...{ version: 1, pid: 7, since: 1000, time: 2000 },
  units: [
    { name: "nftables", drift: [], repairs: 2, retries: 1, inspectedAt: 1900, repairedAt: 1500 },
    { name: "var", drift: ["mount it", "open it"], problem: { code: "test-problem", what: "gone" }, repairs: 0, retries: 0 },
  ],
};

async function written(host: FakeHost): Promise<readonly string[]> {
  await writeTextfile(host, guestosLayout, { recordFile: RECORD, monitorFile: MONITOR });
  const text = String(host.files.get(guestosLayout.textfile));
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

test("all that is known of a node is there", async () => {
  const lines = await written(fakeHost({ files: node }));
  for (const line of [
    'guestos_version{version="1.2.3"} 1',
    "guestos_node_operator_private_key_exists 1",
    'guestos_boot_outcome{outcome="failed"} 1',
    "guestos_boot_duration_seconds 4.5",
    'guestos_run_duration_seconds{run="early"} 4.5',
    'guestos_run_end_uptime_seconds{run="early"} 9.5',
    'guestos_run_critical_path_seconds{run="early"} 4',
    'guestos_run_critical_path_unit_seconds{run="early",unit="var"} 2',
    'guestos_unit_result{unit="var",result="degraded"} 1',
    'guestos_unit_failure_info{unit="var",code="test-problem"} 1',
    'guestos_unit_duration_seconds{unit="nftables"} 2',
    'guestos_unit_warnings{unit="var"} 1',
    'guestos_intents{phase="begun"} 1',
    'guestos_intents{phase="complete"} 1',
    'guestos_intents{phase="unreadable"} 1',
    "guestos_boot_stable 1",
    `guestos_ruleset_last_load_timestamp_seconds ${Date.parse("2026-10-05T10:15:02.000Z") / 1000}`,
  ]) {
    expect(lines).toContain(line);
  }
  expect(lines.filter((line) => line.startsWith("guestos_metrics_source_readable") && !line.endsWith(" 1"))).toEqual([]);
  expect(lines.join("\n")).not.toContain("guestos_monitor");
});

test("the firewall's own note has the last word on the rules, and a monitor that runs tells of drift", async () => {
  const ruleset = JSON.stringify({ file: "/etc/nftables.conf", sha256: "s", ruleset: "r", loaded: 1500 });
  const lines = await written(
    fakeHost({ files: { ...node, "/run/guestos-boot/nftables.json": ruleset, [MONITOR]: JSON.stringify(watching) } }),
  );
  for (const line of [
    "guestos_ruleset_last_load_timestamp_seconds 1500",
    "guestos_monitor_start_timestamp_seconds 1000",
    'guestos_unit_drift{unit="nftables"} 0',
    'guestos_unit_drift{unit="var"} 2',
    'guestos_unit_problem{unit="nftables"} 0',
    'guestos_unit_problem{unit="var"} 1',
    'guestos_unit_problem_info{unit="var",code="test-problem"} 1',
    'guestos_unit_repairs_total{unit="nftables"} 2',
    'guestos_unit_repair_retries_total{unit="nftables"} 1',
    'guestos_unit_last_repair_timestamp_seconds{unit="nftables"} 1500',
  ]) {
    expect(lines).toContain(line);
  }
  expect(lines.join("\n")).not.toContain('guestos_unit_last_inspection_timestamp_seconds{unit="var"}');
});

test.each([
  ["record", { ...node, [RECORD]: "half a li\n" }, "guestos_boot_outcome"],
  ["slots", { ...node, "/proc/cmdline": "quiet\n" }, "guestos_boot_stable"],
  ["slots", { ...node, "/boot/config/slots/refused.json": "" }, "guestos_upgrade_refused_images"],
  ["intents", { ...node, "/proc/self/mountinfo": mountinfo.replace("/boot/config", "/elsewhere") }, "guestos_intents"],
  ["monitor", { ...node, [MONITOR]: "{}" }, "guestos_monitor"],
  ["data", { ...node, "/proc/self/mountinfo": mountinfo.replace("/var/lib/ic/data", "/elsewhere") }, "guestos_node_operator"],
])("when %s cannot be read, its metrics are absent, not nought, and the others stay", async (source, files, absent) => {
  const lines = await written(fakeHost({ files }));
  expect(lines).toContain(`guestos_metrics_source_readable{source="${source}"} 0`);
  expect(lines.join("\n")).not.toContain(absent);
  expect(lines).toContain('guestos_version{version="1.2.3"} 1');
});

test("what the monitor ran is no part of the boot, and takes no part in its counts", async () => {
  const repair = new EventScript([{ name: "nftables" }], { at: 500, monitor: true });
  repair.start(501, { kind: "tool", argv: ["nft"] }, repair.unit(500, "nftables"));
  repair.ended(510, "nftables", { kind: "degraded", problem: { code: "test-problem", what: "no" } }).finish(510, "degraded");
  const record = boot() + repair.events.map((event) => `${JSON.stringify(event)}\n`).join("");
  const before = await written(fakeHost({ files: node }));
  expect(await written(fakeHost({ files: { ...node, [RECORD]: record } }))).toEqual(before);
});

test("without a version it is unknown, with the value that IC-OS gives it", async () => {
  const { "/opt/ic/share/version.txt": _, ...files } = node;
  expect(await written(fakeHost({ files }))).toContain('guestos_version{version="unknown"} 0');
});

test("the folder is made as systemd-tmpfiles would, for the exporter's group, and left alone when it is there", async () => {
  const fresh = fakeHost({ files: node });
  await written(fresh);
  expect(fresh.effects).toEqual([
    "make /run/node_exporter",
    "make /run/node_exporter/collector_textfile",
    "write 640 /run/node_exporter/collector_textfile/guestos-boot.prom",
  ]);
  const there = fakeHost({ files: { ...node, "/run/node_exporter/collector_textfile/other.prom": "" } });
  await written(there);
  expect(there.effects).toEqual(["write 640 /run/node_exporter/collector_textfile/guestos-boot.prom"]);
});

test("an image without the exporter's group is named, and nothing is written", async () => {
  const host = fakeHost({ files: { ...node, "/etc/group": "root:x:0:\n" } });
  await expect(written(host)).rejects.toThrow("the image has no group node_exporter");
  expect(host.effects).toEqual([]);
});

test("what config.json asks for, and what became of /var, have the names of IC-OS", async () => {
  const lines = async (config: string): Promise<readonly string[]> =>
    written(fakeHost({ files: { ...node, "/run/config/config.json": config } }));
  const asked = await lines('{"icos_settings":{"enable_trusted_execution_environment":true}}');
  expect(asked).toEqual(expect.arrayContaining(["guestos_tee_configured 1", "setup_hostname 0", "tainted_var 0"]));
  for (const config of ["{}", '{"icos_settings":null}', '{"icos_settings":{"enable_trusted_execution_environment":"true"}}'])
    expect(await lines(config)).toContain("guestos_tee_configured 0");
  expect((await written(fakeHost({ files: node }))).join("\n")).not.toMatch(/tee_|setup_hostname|boot_kernel/);
  const failed = boot().replace('"kind":"degraded","problem"', '"kind":"failed","problem"');
  expect(await written(fakeHost({ files: { ...node, [RECORD]: failed } }))).toContain("tainted_var 1");
});

test.each([
  ['{"config_version": "1.17.0"}', ['guestos_config_version{version="1.17.0"} 1']],
  ['{"config_version":"1\\"} 1\\nevil 2"}', ['guestos_config_version{version="unknown"} 1']],
  ["no JSON", ['guestos_config_version{version="unknown"} 1']],
  [undefined, []],
])("the version of the host's config.json %j", async (config, expected) => {
  const files = { ...node, ...(config === undefined ? {} : { "/run/config/config.json": config }) };
  expect(
    (await written(fakeHost({ files }))).filter((line) => line.startsWith("guestos_config_version") || line.startsWith("evil")),
  ).toEqual(expected);
});

test("a host has its own slots and version under the names of hosts", async () => {
  const { layout } = profiles.hostos;
  const host = fakeHost({ files: node });
  await writeTextfile(host, layout, { recordFile: RECORD, monitorFile: MONITOR });
  const text = String(host.files.get(layout.textfile));
  expect(text).toContain('hostos_version{version="1.2.3"} 1\n');
  expect(text).toContain('hostos_boot_action{successful_boot="true"} 0\n');
  expect(text).toContain("hostos_boot_stable 1\n");
  expect(text).not.toMatch(/^guestos_(?:version|boot_action|boot_stable)\b/m);
});
