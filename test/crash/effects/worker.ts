/**
 * Explores scenarios, one after the other, in namespaces of its own (mount, host name, network): parts of scenarios come in, results go
 * out, an object of JSON a line. Started by coverage.ts.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { sh } from "./crash-machine.ts";
import { installStandIns } from "./stand-ins.ts";
import type { Case, EffectExplorer as Explorer } from "./explorer.ts";

installStandIns();
// An import above would have seen what is real.
const { protectTheMachine } = await import("./bounds.ts");
const { chance } = await import("./chance.ts");
const { caseText, EffectExplorer } = await import("./explorer.ts");
const { scenarios } = await import("./scenarios.ts");
process.setMaxListeners(0);

/** What a worker is told, as its one argument. */
export interface Orders {
  readonly seed: number;
  /** So many cases of a scenario, chosen by the seed; all, when absent. */
  readonly sample?: number;
  /** That one alone, or all of a kind: "12 before", "hang". */
  readonly only?: string;
  /** Milliseconds since the epoch after which no further scenario is begun, and no further case but a scenario's first. */
  readonly until?: number;
}

/** A part of a scenario: of each `of` cases in a row the one at `index`, from 0. */
export interface Share {
  readonly scenario: string;
  readonly index: number;
  readonly of: number;
  /** What is known already: "12 before". */
  readonly known: readonly string[];
}

/** What it answers. */
export type Answer =
  | { readonly kind: "enumerated"; readonly scenario: string; readonly effects: number; readonly cases: number }
  | { readonly kind: "result"; readonly result: Awaited<ReturnType<Explorer["explore"]>> }
  | { readonly kind: "failed"; readonly scenario: string; readonly error: string }
  | { readonly kind: "end"; readonly scenario: string };

const orders = JSON.parse(process.argv[2] ?? "{}") as Orders;

function chosen({ scenario, index, of, known }: Share, cases: readonly Case[]): readonly Case[] {
  if (orders.only !== undefined) return cases.filter((each) => caseText(each) === orders.only || each.moment.kind === orders.only);
  const done = new Set(known);
  const all = cases.filter((each, place) => place % of === index && !done.has(caseText(each)));
  if (orders.sample === undefined) return all;
  return all.toSorted((one, two) => order(one) - order(two)).slice(0, orders.sample);
  function order(each: Case): number {
    return chance(`${orders.seed} ${scenario} ${caseText(each)}`);
  }
}

function say(answer: Answer): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

async function explore(share: Share, folder: string): Promise<void> {
  const name = share.scenario;
  const scenario = scenarios.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  const explorer = new EffectExplorer(scenario, folder);
  await explorer.enumerate();
  const cases = chosen(share, explorer.cases());
  say({ kind: "enumerated", scenario: name, effects: explorer.effects.length, cases: cases.length });
  for (const [place, each] of cases.entries()) {
    // One at least: a busy machine may have taken all the time to enumerate.
    if (place > 0 && orders.until !== undefined && Date.now() > orders.until) break;
    say({ kind: "result", result: await explorer.explore(each, orders.seed) });
  }
}

/** What of the machine is not below a folder: the kernel's command line, a network card, a /run without systemd. */
function prepare(): string {
  const base = mkdtempSync(join(tmpdir(), "guestos-boot-effects-"));
  sh([`mount -t tmpfs -o mode=0755 tmpfs ${base}`]);
  writeFileSync(join(base, "cmdline"), "");
  mkdirSync(join(base, "work"));
  sh([
    `mount --bind ${base}/cmdline /proc/cmdline`,
    "mount -t tmpfs tmpfs /run",
    "mount -t sysfs -o ro sysfs /sys",
    "ip link add eth0 type veth peer name cable",
    // The card has a carrier whenever it is up.
    "ip link set cable up",
    "ip link set lo up",
  ]);
  protectTheMachine([base, "/run"]);
  return join(base, "work");
}

const folder = prepare();
for await (const line of createInterface({ input: process.stdin })) {
  const share = JSON.parse(line) as Share;
  const name = share.scenario;
  try {
    if (orders.until === undefined || Date.now() < orders.until) await explore(share, folder);
  } catch (error) {
    say({ kind: "failed", scenario: name, error: error instanceof Error ? error.message : String(error) });
  }
  say({ kind: "end", scenario: name });
}
