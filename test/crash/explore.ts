/**
 * `make test-crash`: cuts the power of a recorded first boot at many points, looks at what each cut left, boots it, and checks that.
 *
 *   POINT=12.3   that point alone, and all that is known of it
 *   LOOKS=n      look at the disks of n points without booting them (2000)
 *   POINTS=n     boot until n points are known (1000)
 *   MINUTES=n    boot no further point after that time
 *   SEED=n       decides what torn states are made of (1)
 *   JOBS=n       machines at the same time (1)
 *
 * Results are kept in build/crash/results.jsonl; what is in there is not explored again. Exit status 1 when a point failed.
 */
import { existsSync } from "node:fs";
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { program } from "../../vm/program.ts";
import { windowsOf } from "./crash-states.ts";
import { Explorer, type Result } from "./explorer.ts";
import { inspect } from "./inspect.ts";
import { openWriteLog, type WriteLog } from "./log-writes.ts";
import { evenly, type Point, pointName, pointNamed } from "./points.ts";
import { crashFolder, firstBoot, type Recording } from "./recording.ts";

/** Points that one pass over the recording takes along: a pass costs a copy of the disk. */
const BATCH = 4;
const results = join(crashFolder, "results.jsonl");

async function main(): Promise<number> {
  const seed = number("SEED", 1);
  const end = Date.now() + number("MINUTES", Number.POSITIVE_INFINITY) * 60_000;
  const recording = await firstBoot(console.log);
  using log = openWriteLog(recording.log);
  const windows = windowsOf(log.entries);
  console.log(`${log.entries.length} writes and flushes, ${windows.length} windows; results in ${results}`);
  const only = process.env["POINT"] ?? "";
  if (only !== "") {
    const point = pointNamed(only, windows);
    const bad = await inspectAll(recording, log, [point], seed);
    await using explorer = new Explorer("crash", recording, log, seed);
    const result = await explorer.explore(point);
    console.log(JSON.stringify(result, undefined, 2));
    return bad + result.faults.length === 0 ? 0 : 1;
  }
  const bad = await inspectAll(recording, log, evenly(windows).take(number("LOOKS", 2000)).toArray(), seed);
  const known = await knownResults(recording, seed);
  const work = batches(evenly(windows), known, number("POINTS", 1000));
  const explorers = Array.from({ length: number("JOBS", 1) }, (_, n) => new Explorer(`crash-${n + 1}`, recording, log, seed));
  // What all are compared with; the first one makes it.
  await explorers[0]?.undisturbed();
  await Promise.all(
    explorers.map(async (explorer) => {
      await using own = explorer;
      // Each takes the next batch when it has done its own.
      for (const batch of work) {
        for (const point of batch) {
          if (Date.now() > end) return;
          const result = await own.explore(point);
          console.log(resultText(result));
          known.set(result.point, result);
          await appendFile(results, `${JSON.stringify(result)}\n`);
        }
      }
    }),
  );
  return summary(known) + bad === 0 ? 0 : 1;
}

/** @returns how many points had a fault */
async function inspectAll(recording: Recording, log: WriteLog, points: readonly Point[], seed: number): Promise<number> {
  let [looked, bad] = [0, 0];
  for await (const { point, faults } of inspect("crash-look", recording, log, points, seed)) {
    looked += 1;
    if (faults.length > 0) bad += 1;
    for (const fault of faults) console.log(`FAILED ${point.padEnd(8)} on the disk: ${fault}`);
  }
  console.log(`${looked} points looked at, ${bad} failed`);
  return bad;
}

function number(name: string, otherwise: number): number {
  const text = process.env[name] ?? "";
  return text === "" ? otherwise : Number(text);
}

/** Of this recording and seed. A last line that was cut off is explored again. */
async function knownResults({ id }: Recording, seed: number): Promise<Map<string, Result>> {
  const text = existsSync(results) ? await readFile(results, "utf8") : "";
  const known = text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Result);
  return new Map(known.filter((result) => result.recording === id && result.seed === seed).map((result) => [result.point, result]));
}

/** Each in the order of the recording. Those that are known already count, and are left out. */
function* batches(points: Iterable<Point>, known: ReadonlyMap<string, Result>, wanted: number): Generator<readonly Point[]> {
  let count = 0;
  let batch: Point[] = [];
  for (const point of points) {
    if (count >= wanted) break;
    count += 1;
    if (!known.has(pointName(point))) batch.push(point);
    if (batch.length < BATCH) continue;
    yield batch.toSorted((one, two) => one.window - two.window);
    batch = [];
  }
  yield batch.toSorted((one, two) => one.window - two.window);
}

function resultText({ point, durable, keptBytes, seconds, redone, faults }: Result): string {
  const facts = `${durable} entries durable, ${(keptBytes / 1024).toFixed(0)} KiB of the rest kept; ${redone.length} actions redone; ${seconds.boot} s`;
  return `${faults.length === 0 ? "holds " : "FAILED"} ${point.padEnd(8)} ${facts}${faults.map((fault) => `\n         ${fault}`).join("")}`;
}

/** @returns how many points failed */
function summary(known: ReadonlyMap<string, Result>): number {
  const all = [...known.values()];
  const failed = all.filter(({ faults }) => faults.length > 0);
  for (const { point, seed } of failed) console.log(`again: make test-crash POINT=${point} SEED=${seed}`);
  const boot = all.map(({ seconds }) => seconds.boot).toSorted((one, two) => one - two);
  console.log(
    `${all.length} points explored, ${failed.length} failed; ${boot[Math.floor(boot.length / 2)] ?? 0} s a boot (median), ${boot.at(-1) ?? 0} s at most`,
  );
  return failed.length;
}

await program(main);
