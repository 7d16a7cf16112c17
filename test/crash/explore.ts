/**
 * `make test-crash`: cuts the power of a recorded first boot, of the boot after it and of a recorded upgrade, at many points, inspects what
 * each cut left, boots it, and checks that.
 *
 *   RECORDING=   first-boot, later-boot, upgrade-install or upgrade-trial; "upgrade" for the two of an upgrade (all)
 *   POINT=12.3   that point alone, and all that is known of it; with RECORDING (first-boot)
 *   INSPECTIONS=n      inspect the disks of n points of each recording without booting them (2000)
 *   POINTS=n     boot until n points of each are known (1000)
 *   MINUTES=n    boot no further point after that time
 *   SEED=n       decides what torn states are made of (1)
 *   JOBS=n       machines at the same time (1); several have one processor each, unless MACHINE_PROCESSORS says otherwise
 *   MACHINE=user-mode  boot in a user-mode Linux (docs/lab.md), not emulated; after a cut in an upgrade as a host does it, without GRUB
 *
 * Results are kept in build/crash/; what is in there is not explored again. Exit status 1 when a point failed.
 */
import { existsSync } from "node:fs";
import { appendFile, readFile } from "node:fs/promises";
import { ProblemError } from "../../src/base/problem.ts";
import { machineNamed } from "../../lab/accelerator.ts";
import { program } from "../../lab/program.ts";
import type { Window } from "./crash-states.ts";
import { Explorer, type Result } from "./explorer.ts";
import { inspect } from "./inspect.ts";
import { evenly, type Point, pointName, pointNamed } from "./points.ts";
import { windowsIn } from "./replay.ts";
import { type Subject, type SubjectName, subjects } from "./subjects.ts";

/** Points that one pass over the recording takes along: a pass costs a copy of the disk. */
const BATCH = 4;
const seed = number("SEED", 1);
const end = Date.now() + number("MINUTES", Number.POSITIVE_INFINITY) * 60_000;
const jobs = number("JOBS", 1);
// Several machines at the same time hold each other up where each has several processors.
if (jobs > 1) process.env["MACHINE_PROCESSORS"] ??= "1";

async function main(): Promise<number> {
  const only = process.env["POINT"] ?? "";
  const accelerator = machineNamed(process.env["MACHINE"] ?? "");
  const recording = process.env["RECORDING"] || (only === "" ? "" : "first-boot");
  let bad = 0;
  for (const name of chosen(recording)) {
    using subject = await subjects[name](console.log, accelerator);
    const windows = windowsIn(subject.recording, subject.log);
    const entries = subject.log.entries.length - subject.recording.from;
    console.log(`${name}: ${entries} writes and flushes, ${windows.length} windows; results in ${subject.results}`);
    bad += only === "" ? await exploreAll(name, subject, windows) : await exploreOne(subject, pointNamed(only, windows));
  }
  return bad === 0 ? 0 : 1;
}

function chosen(wanted: string): readonly SubjectName[] {
  const names = Object.keys(subjects) as readonly SubjectName[];
  const found = names.filter((name) => name === wanted || name.startsWith(`${wanted}-`) || wanted === "");
  if (found.length > 0) return found;
  throw new ProblemError({ code: "test-problem", what: "there is no such recording", found: wanted, expected: names.join(", ") });
}

/** @returns how many points failed */
async function exploreOne(subject: Subject, point: Point): Promise<number> {
  const bad = await inspectAll("crash-point", subject, [point]);
  await using explorer = new Explorer("crash-point", { ...subject, judge: await subject.judge() }, seed);
  const result = await explorer.explore(point);
  console.log(JSON.stringify(result, undefined, 2));
  // What was known of it before counts no more.
  await appendFile(subject.results, `${JSON.stringify(result)}\n`);
  return bad + result.faults.length;
}

/** @returns how many points failed */
async function exploreAll(name: SubjectName, subject: Subject, windows: readonly Window[]): Promise<number> {
  const bad = await inspectAll("crash-inspection", subject, evenly(windows).take(number("INSPECTIONS", 2000)).toArray());
  const wanted = number("POINTS", 1000);
  if (wanted === 0) return bad;
  const known = await knownResults(subject);
  const work = batches(evenly(windows), known, wanted);
  const judge = await subject.judge();
  await Promise.all(
    Array.from({ length: jobs }, async (_, n) => {
      await using own = new Explorer(`crash-${n + 1}`, { ...subject, judge }, seed);
      // Each takes the next batch when it has done its own.
      for (const batch of work) {
        for (const point of batch) {
          if (Date.now() > end) return;
          const result = await own.explore(point);
          console.log(resultText(result));
          known.set(result.point, result);
          await appendFile(subject.results, `${JSON.stringify(result)}\n`);
        }
      }
    }),
  );
  return summary(name, known) + bad;
}

/** @returns how many points had a fault */
async function inspectAll(machine: string, subject: Subject, points: readonly Point[]): Promise<number> {
  if (points.length === 0) return 0;
  let [inspected, bad] = [0, 0];
  const start = performance.now();
  for await (const { point, faults } of inspect(machine, { ...subject, inspection: await subject.inspection(machine) }, points, seed)) {
    inspected += 1;
    if (faults.length > 0) bad += 1;
    for (const fault of faults) console.log(`FAILED ${point.padEnd(8)} on the disk: ${fault}`);
  }
  console.log(`${inspected} points inspected in ${((performance.now() - start) / 1000).toFixed(0)} s, ${bad} failed`);
  return bad;
}

function number(name: string, otherwise: number): number {
  const text = process.env[name] ?? "";
  return text === "" ? otherwise : Number(text);
}

/** Of this recording and seed. A last line that was cut off is explored again. */
async function knownResults({ results, recording: { id } }: Subject): Promise<Map<string, Result>> {
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

function resultText({ point, durable, keptBytes, seconds, outcome, redone, faults }: Result): string {
  const facts = `${durable} entries durable, ${(keptBytes / 1024).toFixed(0)} KiB of the rest kept; ${redone.length} actions redone; ${outcome === undefined ? "" : `${outcome}; `}${seconds.boot} s`;
  return `${faults.length === 0 ? "holds " : "FAILED"} ${point.padEnd(8)} ${facts}${faults.map((fault) => `\n         ${fault}`).join("")}`;
}

/** @returns how many points failed */
function summary(name: SubjectName, known: ReadonlyMap<string, Result>): number {
  const all = [...known.values()];
  const failed = all.filter(({ faults }) => faults.length > 0);
  for (const { point, seed } of failed) console.log(`again: make test-crash RECORDING=${name} POINT=${point} SEED=${seed}`);
  const boot = all.map(({ seconds }) => seconds.boot).toSorted((one, two) => one - two);
  console.log(
    `${all.length} points explored, ${failed.length} failed; ${boot[Math.floor(boot.length / 2)] ?? 0} s a boot (median), ${boot.at(-1) ?? 0} s at most`,
  );
  return failed.length;
}

await program(main);
