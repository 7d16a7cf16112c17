/**
 * The first half of `make test-crash`: kills guestos-boot at each effect that it has on a machine, and runs it again.
 *
 *   SCENARIO=name  that one alone
 *   EFFECT="n w"   that case of it alone: effect 12, at "before", "step 2", "after", "full", "io-error", "hang"; a word alone: all of that kind
 *   SEED=n         decides after which kills the machine is booted again (1)
 *   MINUTES=n      begin no further case after that time
 *   JOBS=n         processes at the same time (2)
 *
 * Results are kept in build/effects.jsonl; what is in there, of the same sources and seed, is not explored again. Exit status 1 when one
 * did not hold.
 */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, globSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { buildFolder, repository } from "../../../image/paths.ts";
import { program } from "../../../lab/program.ts";
import { ProblemError } from "../../../src/base/problem.ts";
import { coverageLines, exploreEffects, failureText } from "./coverage.ts";
import { caseText, type Result } from "./explorer.ts";
import { scenarios } from "./scenarios.ts";

const results = join(buildFolder, "effects.jsonl");

/** A line of the results. */
interface Kept {
  /** What it is a result of: {@link sourcesId}. */
  readonly sources: string;
  readonly seed: number;
  readonly result: Result;
}

async function main(): Promise<number> {
  const seed = Number(process.env["SEED"] || "1");
  const jobs = Number(process.env["JOBS"] || "2");
  const only = process.env["EFFECT"] ?? "";
  const wanted = process.env["SCENARIO"] ?? "";
  const minutes = process.env["MINUTES"] ?? "";
  const until = minutes === "" ? {} : { until: Date.now() + Number(minutes) * 60_000 };
  const names = scenarios.map(({ name }) => name).filter((name) => wanted === "" || name === wanted);
  // Nothing that was explored is nothing that was found.
  if (names.length === 0)
    throw new ProblemError({ code: "test-problem", what: "there is no such scenario", found: wanted, expected: "a name of scenarios.ts" });
  const sources = sourcesId();
  mkdirSync(buildFolder, { recursive: true });
  const start = performance.now();
  const coverage = await exploreEffects({
    scenarios: names,
    orders: { seed, ...until, ...(only === "" ? {} : { only }) },
    jobs,
    // It has as many cases as all the others.
    parts: (name) => (scenarios.find((each) => each.name === name)?.kind === "chain" ? jobs : 1),
    // One that is asked for by its name is explored, known or not.
    known: only === "" ? known(sources, seed).filter(({ scenario }) => wanted === "" || scenario === wanted) : [],
    onAnswer: (answer) => {
      if (answer.kind === "enumerated") console.log(`${answer.scenario}: ${answer.effects} effects, ${answer.cases} cases to come`);
      if (answer.kind !== "result") return;
      appendFileSync(results, `${JSON.stringify({ sources, seed, result: answer.result } satisfies Kept)}\n`);
      if (answer.result.faults.length > 0) console.log(failureText(answer.result, seed));
    },
  });
  for (const line of coverageLines(coverage)) console.log(line);
  console.log(`${((performance.now() - start) / 60_000).toFixed(1)} minutes`);
  return coverage.failures.length === 0 && coverage.results.every(({ faults }) => faults.length === 0) ? 0 : 1;
}

/** Names what is explored, and what explores it: results of other sources say nothing of these. */
function sourcesId(): string {
  const hash = createHash("sha256");
  for (const file of globSync("{src,etc,test/crash/effects,test/support}/**/*", { cwd: repository, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted())
    hash.update(`${file.slice(repository.length)}\0`).update(readFileSync(file));
  return hash.digest("hex").slice(0, 16);
}

/** The newest of each case. A last line that was cut off is explored again. */
function known(sources: string, seed: number): readonly Result[] {
  const lines = existsSync(results) ? readFileSync(results, "utf8").split("\n").slice(0, -1) : [];
  const kept = lines.map((line) => JSON.parse(line) as Kept).filter((line) => line.sources === sources && line.seed === seed);
  return [...new Map(kept.map(({ result }) => [`${result.scenario} ${caseText(result)}`, result])).values()];
}

await program(main);
