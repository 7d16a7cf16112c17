/**
 * What running costs by itself: 100 to 100,000 synthetic units with nothing to do, each requiring up to three of those before it,
 * through the scheduler alone, and through the whole runner with a record that is thrown away. CPU time of this process, so that
 * what else the machine does counts little; medians. Leaves the numbers in build/bench/scheduler.json.
 *
 * Fails when the scheduler needs 2 s or more for 100,000, or more than twelve times as long for ten times as many.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { runUnits } from "../src/boot/runner.ts";
import { schedule } from "../src/boot/scheduler.ts";
import { defineUnit, type Unit } from "../src/boot/unit.ts";
import { median } from "./median.ts";

const SIZES = [100, 1_000, 10_000, 100_000] as const;
const RUNS = 5;
const MAX_SECONDS = 2;
/** From one size to the next, ten times as large. */
const MAX_GROWTH = 12;

type Units = readonly Unit<undefined>[];

function units(count: number): Units {
  const made: Unit<undefined>[] = [];
  for (let index = 0; index < count; index += 1) {
    // Spread over what is there, the same each time.
    const before = [index - 1, Math.floor(index / 2), Math.floor(index / 7)].filter((other) => other >= 0 && other < index);
    const requires = [...new Set(before)].flatMap((other) => made[other] ?? []);
    made.push(defineUnit({ name: `unit-${index}`, title: "Nothing to do", requires, plan: async () => [] }));
  }
  return made;
}

const subjects = {
  scheduler: async (all: Units) => {
    await schedule(all, { run: async () => true, skip: () => undefined });
  },
  runner: async (all: Units) => {
    await runUnits<undefined>(all, {
      machine: () => undefined,
      facts: { bootId: "bench", version: "bench", slot: "A", pid: process.pid, stage: "early" },
      sink: () => undefined,
      signal: new AbortController().signal,
    });
  },
} as const;

// Not what the product does when it sleeps (src/system/processes/free-memory.ts): that throws compiled code away too.
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** So many units in all are run for a time that is taken, in as many graphs as that makes. */
const UNITS_A_TIME = 100_000;

/** Of one graph. What making the graphs leaves behind is given back before, or the next allocation pays for it. */
async function seconds(work: (all: Units) => Promise<void>, count: number): Promise<number> {
  const graphs = Array.from({ length: UNITS_A_TIME / count }, () => units(count));
  collectGarbage();
  const start = process.cpuUsage();
  for (const graph of graphs) await work(graph);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6 / graphs.length;
}

const rows: { readonly subject: string; readonly units: number; readonly seconds: number; readonly growth: number | null }[] = [];
console.log(["subject", "units", "CPU, s", "µs a unit", "growth"].map((title) => title.padStart(11)).join(""));
for (const [subject, work] of Object.entries(subjects)) {
  // Until it has been compiled.
  for (const count of SIZES) await seconds(work, count);
  let before = Number.NaN;
  for (const count of SIZES) {
    const times: number[] = [];
    for (let run = 0; run < RUNS; run += 1) times.push(await seconds(work, count));
    const middle = median(times);
    const growth = middle / before;
    rows.push({ subject, units: count, seconds: middle, growth: Number.isNaN(growth) ? null : growth });
    const cells = [subject, String(count), middle.toFixed(5), ((middle / count) * 1e6).toFixed(2), growth.toFixed(1)];
    console.log(cells.map((cell) => cell.padStart(11)).join(""));
    before = middle;
  }
}
mkdirSync(join(import.meta.dirname, "../build/bench"), { recursive: true });
writeFileSync(join(import.meta.dirname, "../build/bench/scheduler.json"), `${JSON.stringify({ runs: RUNS, rows }, undefined, 2)}\n`);
const own = rows.filter(({ subject }) => subject === "scheduler");
const isFast = (own.at(-1)?.seconds ?? Number.POSITIVE_INFINITY) < MAX_SECONDS;
const isLinear = own.every(({ growth }) => growth === null || growth <= MAX_GROWTH);
process.exitCode = isFast && isLinear ? 0 : 1;
