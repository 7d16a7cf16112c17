import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Variant } from "dbus-next";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "../../../src/base/schema.ts";
import type { MonitorState } from "../../../src/config/state/monitor-state.ts";
import { families } from "../../../src/metrics/families.ts";
import { writeTextfile } from "../../../src/metrics/textfile.ts";
import type { Host } from "../../../src/system/host.ts";
import { Fixture } from "../../support/fixture-process.ts";
import { eventually, nodeExporter, prometheus, promtool, type Served } from "../../support/metrics-tools.ts";
import { namespaceRoot } from "../../support/namespace.ts";
import { privateBus } from "../../support/private-bus.ts";
import { installed, proven, type SlotMachine, slotMachine } from "../../support/slot-machine.ts";
import { argumentsOf, testRules } from "../../support/documented/elsewhere.ts";

/** The exporter's user on the test machine: any number that no one else has. */
const EXPORTER = { uid: 64_986, gid: 64_986 };
const rules = join(process.cwd(), "share/prometheus/guestos-boot.rules.yml");

let node: SlotMachine;
const running: Served[] = [];
let prometheusAddress = "";

/** A node with everything that metrics are made of; its record is what a real run has written. */
beforeAll(async () => {
  const boot = new Fixture();
  await boot.run("run", "--stage", "early");
  await boot.run("run", "--stage", "late");
  node = await slotMachine({ records: { A: proven, B: installed } });
  const { layout, host } = node;
  for (const path of [layout.mountPoints.config, layout.mountPoints.grub, layout.mountPoints.data]) {
    mkdirSync(path, { recursive: true });
    spawnSync("mount", ["--bind", path, path]);
  }
  mkdirSync(layout.config.intents);
  writeFileSync(join(layout.config.intents, "var.json"), '{"version":1,"about":"var","uuid":"u","phase":"complete"}');
  mkdirSync(layout.etc.folder);
  writeFileSync(join(layout.etc.folder, "passwd"), "root:x:0:0::/root:/bin/sh\n");
  writeFileSync(join(layout.etc.folder, "group"), `node_exporter:x:${EXPORTER.gid}:\n`);
  const now = Math.round(Date.now() / 1000);
  const watched = { drift: [], repairs: 1, retries: 0, inspectedAt: now, repairedAt: now };
  const state: MonitorState = { version: 1, pid: 7, since: now, time: now, units: [{ name: "nftables", ...watched }] };
  const monitorFile = boot.path("run/monitor.json");
  writeFileSync(monitorFile, JSON.stringify(state));
  mkdirSync(layout.run, { recursive: true });
  writeFileSync(join(layout.run, "nftables.json"), JSON.stringify({ file: "f", sha256: "s", ruleset: "r", loaded: now }));
  mkdirSync(dirname(layout.guestosConfig), { recursive: true });
  writeFileSync(layout.guestosConfig, JSON.stringify({ config_version: "1.17.0" }));
  await withSystemd(host, async (onBus) => writeTextfile(onBus, layout, { recordFile: boot.path("run/record.jsonl"), monitorFile }));

  const exporter = await nodeExporter(layout.collector, EXPORTER);
  running.push(exporter);
  const folder = namespaceRoot();
  const config = join(folder, "prometheus.yml");
  const scrape = { job_name: "guestos", static_configs: [{ targets: [exporter.address] }] };
  const global = { scrape_interval: "1s", evaluation_interval: "1s" };
  writeFileSync(config, JSON.stringify({ global, rule_files: [rules], scrape_configs: [scrape] }));
  const server = await prometheus(config, join(folder, "data"));
  running.push(server);
  prometheusAddress = server.address;
  // A rate needs more than one scrape.
  await eventually(
    async () => query("count_over_time(guestos_boot_stable[1m])"),
    ([sample]) => Number(sample?.value[1]) > 2,
  );
});

/** Plays as much of a systemd that has finished as metrics are made of. */
async function withSystemd(host: Host, use: (onBus: Host) => Promise<void>): Promise<void> {
  const bus = await privateBus();
  const number = (value: bigint): Variant => new Variant("t", value);
  const manager = {
    UserspaceTimestampMonotonic: number(3_000_000n),
    FinishTimestampMonotonic: number(9_000_000n),
    ConfidentialVirtualization: new Variant("s", ""),
  };
  await bus.serve("org.freedesktop.systemd1", (member, [, key]) =>
    member === "GetAll"
      ? { signature: "a{sv}", body: [manager] }
      : member === "Get"
        ? { signature: "v", body: [number(key === "ActiveEnterTimestampMonotonic" ? 2_000_000n : 1_000_000n)] }
        : { signature: "a(ssssssouso)", body: [[["ssh.service", "", "loaded", "active", "running", "", "/unit", 0, "", "/"]]] },
  );
  try {
    await use({ ...host, readLink: async (path) => (path.endsWith("/invocation:dbus.service") ? "an-invocation" : host.readLink(path)) });
  } finally {
    await bus.stop();
  }
}

afterAll(async () => {
  for (const each of running) await each.stop();
});

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

async function api(path: string): Promise<unknown> {
  const answer = (await (await fetch(`http://${prometheusAddress}/api/v1/${path}`)).json()) as { status: string; data: unknown };
  expect(answer, path).toMatchObject({ status: "success" });
  return answer.data;
}

async function query(expression: string): Promise<readonly Sample[]> {
  return ((await api(`query?query=${encodeURIComponent(expression)}`)) as { result: readonly Sample[] }).result;
}

test("promtool finds nothing wrong with the metrics of a node", () => {
  const text = readFileSync(node.layout.textfile, "utf8");
  expect(promtool(["check", "metrics"], text)).toEqual({ status: 0, said: "" });
  // It would say so.
  expect(promtool(["check", "metrics"], text.replace(/^# HELP guestos_intents .*\n/m, "")).status).toBe(3);
});

test("every metric of a node is written, but those of the endpoint, of a host, of problems, and of /var, of which it has none", () => {
  const text = readFileSync(node.layout.textfile, "utf8");
  const absent = Object.values(families).filter(({ name }) => !text.includes(`# TYPE ${name} `));
  expect(absent.map(({ name }) => name).filter((name) => !/^(?:process|hostos|node|nvme|power)_/.test(name))).toEqual([
    "tainted_var",
    "guestos_unit_failure_info",
    "guestos_unit_problem_info",
  ]);
});

/** Of Prometheus' rules, and of promtool's tests of them, what is needed here. */
const Rules = z.object({ groups: z.array(z.object({ rules: z.array(z.object({ alert: z.optional(z.string()) })) })) });
const RuleTests = z.object({
  tests: z.array(z.object({ alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })) })),
});

test("promtool takes the rules, and each alert fires when it should and not before", () => {
  expect(promtool(["check", "rules", rules])).toMatchObject({ status: 0, said: expect.stringContaining("SUCCESS: 15 rules found") });
  const tests = join(dirname(rules), "guestos-boot.rules.test.yml");
  expect(promtool([...argumentsOf(testRules).split(" "), tests])).toMatchObject({ status: 0, said: expect.stringContaining("SUCCESS") });
  const { groups } = Rules.parse(parse(readFileSync(rules, "utf8")));
  const tested = RuleTests.parse(parse(readFileSync(tests, "utf8"))).tests.flatMap(({ alert_rule_test: cases }) => cases);
  const firing = new Set(tested.filter(({ exp_alerts: expected }) => expected.length > 0).map(({ alertname }) => alertname));
  const alerts = groups.flatMap((group) => group.rules.flatMap(({ alert }) => alert ?? []));
  expect(
    alerts.filter((alert) => !firing.has(alert)),
    "alerts that no case of the rules' tests expects: add one",
  ).toEqual([]);
});

test("node_exporter's user can read the textfile, and others cannot", () => {
  const read = (ids: { uid: number; gid: number }): number | null => spawnSync("cat", [node.layout.textfile], ids).status;
  expect(read(EXPORTER)).toBe(0);
  expect(read({ uid: 64_987, gid: 64_987 })).toBe(1);
});

test("Debian's node_exporter serves every sample of the textfile", async () => {
  const [exporter] = running;
  const response = await fetch(`http://${exporter?.address}/metrics`);
  const text = await response.text();
  const samples = (from: string): readonly string[] => from.split("\n").filter((line) => line.startsWith("guestos_"));
  const names = (lines: readonly string[]): readonly string[] => lines.map((line) => line.replace(/[ {].*/, "")).toSorted();
  expect(names(samples(text))).toEqual(names(samples(readFileSync(node.layout.textfile, "utf8"))));
  expect(text).toContain("node_textfile_scrape_error 0");
  expect(text).toContain('guestos_boot_action{written_var="true"} 1');
});

test("Debian's Prometheus scrapes the node, evaluates every rule, and has no alarm for a healthy one", async () => {
  expect(await query('up{job="guestos"} == 1')).toHaveLength(1);
  const { groups } = (await eventually(
    async () => api("rules"),
    (data) => JSON.stringify(data).includes('"health":"ok"') && !JSON.stringify(data).includes('"health":"unknown"'),
  )) as { groups: readonly { rules: readonly { name: string; health: string; alerts: readonly unknown[] }[] }[] };
  const found = groups.flatMap(({ rules: its }) => its);
  expect(found).toHaveLength(15);
  expect(found.filter(({ health }) => health !== "ok")).toEqual([]);
  expect(found.filter(({ alerts }) => alerts.length > 0).map(({ name }) => name)).toEqual([]);
});

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

const dashboard = JSON.parse(readFileSync("share/grafana/guestos-boot.json", "utf8")) as Dashboard;
const filled = (expression: string): string => expression.replaceAll("$instance", ".+").replaceAll("$__rate_interval", "1m");

test.each(dashboard.panels.flatMap(({ title, targets }) => (targets ?? []).map(({ expr }) => [title, expr] as const)))(
  "the dashboard's panel %j has something to show: %s",
  async (_, expression) => {
    expect(await query(filled(expression))).not.toEqual([]);
  },
);

test("the dashboard's choice of nodes and its marks are understood", async () => {
  const metric = /^label_values\((\w+), instance\)$/.exec(
    dashboard.templating.list.find(({ name }) => name === "instance")?.definition ?? "",
  );
  expect(await api(`label/instance/values?match[]=${metric?.[1]}`)).toHaveLength(1);
  // A boot in the last minute is a mark; none is not an error.
  for (const { expr } of dashboard.annotations.list) expect(await query(filled(expr))).toEqual([]);
});
