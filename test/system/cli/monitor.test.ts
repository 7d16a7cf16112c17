import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseRecord } from "../../../src/boot/record/read-record.ts";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { readLoadedRuleset } from "../../../src/config/state/loaded-ruleset.ts";
import { type MonitorState, readMonitorState } from "../../../src/config/state/monitor-state.ts";
import { monitoredNamespace, type MonitoredNamespace, ruleset } from "../../support/monitored-namespace.ts";

/** A ruleset that lets one port in. */
const rules = (port: number, more = ""): string =>
  `table inet filter {\n  chain input {\n    type filter hook input priority 0; policy drop;\n    tcp dport ${port} accept\n  ${more}}\n}\n`;
const INCLUDED = "/run/more.nft";
const STATE = "/run/guestos-boot/monitor.json";
const RECORD = "/run/guestos-boot/record.jsonl";

let node: MonitoredNamespace;

beforeAll(async () => {
  const main = join(import.meta.dirname, "../../../src/cli/main.ts");
  node = await monitoredNamespace([process.execPath, main], rules(1001));
}, 30_000);
afterAll(async () => node.stop());

/** Waits for what a node shows within milliseconds, for as long as a loaded machine may take. */
async function eventually(what: () => Promise<boolean>): Promise<void> {
  for (const limit = Date.now() + 20_000; Date.now() < limit; await wait(50)) if (await what()) return;
  throw new Error(`this did not come about: ${String(what)}\n${await node.output()}`);
}

const inForce = async (text: string): Promise<void> => eventually(async () => (await node.ruleset()).includes(text));
async function stateNow(): Promise<MonitorState> {
  const state = await readMonitorState(node.inside.host, STATE);
  if (state === undefined) throw new Error("the monitor has no state");
  return state;
}
const said = async (text: string): Promise<void> => eventually(async () => (await node.output()).includes(text));

test("at its start the monitor inspects what it watches over, and repairs what is safe to repair", async () => {
  await inForce("tcp dport 1001 accept");
  await said(`nftables: repaired: load ${ruleset} into the kernel's packet filter`);
  await eventually(async () => (await node.inside.host.readText(STATE)) !== undefined);
  const state = await stateNow();
  const unit = state.units.find(({ name }) => name === "nftables");
  expect(unit).toMatchObject({ drift: [], repairs: 1 });
  expect(unit).not.toHaveProperty("problem");
  expect(state.pid).toBe(node.process.pid);
  const loaded = await readLoadedRuleset(node.inside.host, guestosLayout);
  expect(loaded?.loaded).toBeGreaterThan(state.since - 5);
  // What only a run repairs is inspected when the node has started.
  expect(state.units.find(({ name }) => name === "store-key")).toBeUndefined();
});

test("a changed ruleset is loaded, also one that came by rename, and what it includes", async () => {
  await node.putRuleset(rules(1002));
  await inForce("tcp dport 1002 accept");
  await node.inside.host.writeFile(INCLUDED, "tcp dport 2001 accept\n", { mode: 0o644 });
  await node.putRuleset(rules(1003, `include "${INCLUDED}"\n`));
  await inForce("tcp dport 2001 accept");
  await node.inside.host.writeFile(INCLUDED, "tcp dport 2002 accept\n", { mode: 0o644 });
  await inForce("tcp dport 2002 accept");
  expect(await node.ruleset()).toContain("tcp dport 1003 accept");
});

test("a broken one is told with its place, and leaves the rules in force", async () => {
  await node.putRuleset(rules(1004, "bogus"));
  await said(`at       ${ruleset}:5:`);
  expect(await node.ruleset()).toContain("tcp dport 1003 accept");
  await node.putRuleset(rules(1005));
  await inForce("tcp dport 1005 accept");
});

test("rules that someone removes or adds by hand are put right", async () => {
  await node.inside.run("nft", "flush", "ruleset");
  await inForce("tcp dport 1005 accept");
  await node.inside.run("nft", "add", "rule", "inet", "filter", "input", "tcp", "dport", "23", "accept");
  await eventually(async () => !(await node.ruleset()).includes("dport 23"));
  expect(await node.ruleset()).toContain("tcp dport 1005 accept");
});

test("the monitor inspects the ruleset itself, and what it did is in its record and its state as with any inspection", async () => {
  const repairsNow = async (): Promise<number> => (await stateNow()).units.find(({ name }) => name === "nftables")?.repairs ?? 0;
  const before = await repairsNow();
  await node.putRuleset(rules(1006));
  await inForce("tcp dport 1006 accept");
  await eventually(async () => (await repairsNow()) === before + 1);
  expect((await stateNow()).units.map(({ name }) => name)).toContain("backup-spool");
  const { runs } = parseRecord((await node.inside.host.readText(RECORD)) ?? "", RECORD);
  const last = runs.findLast(({ units }) => units.some(({ name, result }) => name === "nftables" && result?.kind === "unchanged"));
  expect(last?.facts.pid).toBe(node.process.pid);
});

test("where the lock is held, the inspection waits for it in a process of its own", async () => {
  const holder = node.inside.start("flock", ["/run/guestos-boot/lock", "sleep", "3"]);
  await wait(500);
  await node.putRuleset(rules(1007));
  await inForce("tcp dport 1007 accept");
  expect(holder.exitCode).toBe(0);
});

test("only what did something, or found something wrong, is in the record", async () => {
  await wait(1_500);
  const { runs, torn } = parseRecord((await node.inside.host.readText(RECORD)) ?? "", RECORD);
  expect(torn).toBe(false);
  expect(runs.every(({ facts }) => facts.monitor === true)).toBe(true);
  const idle = runs.filter(({ units }) => units.every(({ result }) => result?.kind === "unchanged" && result.activated.length === 0));
  expect(idle.length, JSON.stringify(runs.map(({ units }) => units))).toBeLessThanOrEqual(2);
});

test("told to end, it does so at once, and takes its state with it", async () => {
  const ended = once(node.process, "exit");
  node.process.kill("SIGTERM");
  expect(await ended).toEqual([143, null]);
  expect(await node.inside.host.readText(STATE)).toBeUndefined();
  // pgrep(1) ends with 1 when there is none.
  await node.inside.host.run({ program: "pgrep", args: ["--ns", String(node.inside.pid), "--nslist", "net", "nft"], okStatuses: [1] });
});
