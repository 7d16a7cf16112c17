/**
 * The first half of `make test-crash`: kills guestos-boot at each effect that it has on a machine, and runs it again.
 *
 *   SCENARIO=name  that one alone
 *   EFFECT="n w"   that case of it alone: effect 12, at "before", "step 2", "after", "full", "io-error"
 *   SEED=n         decides after which kills the machine is booted anew (1)
 *   MINUTES=n      begin no further case after that time
 *   JOBS=n         processes at the same time (2)
 *
 * Results stand in build/crash/effects.jsonl. Exit status 1 when one did not hold.
 */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { program } from "../../../vm/program.ts";
import { crashFolder } from "../recording.ts";
import { coverageLines, exploreEffects, failureText } from "./coverage.ts";
import { scenarios } from "./scenarios.ts";
import type { Orders } from "./worker.ts";

async function main(): Promise<number> {
  const seed = Number(process.env["SEED"] || "1");
  const only = process.env["EFFECT"] ?? "";
  const wanted = process.env["SCENARIO"] ?? "";
  const names = scenarios.map(({ name }) => name).filter((name) => wanted === "" || name === wanted);
  const minutes = process.env["MINUTES"] ?? "";
  const until = minutes === "" ? {} : { until: Date.now() + Number(minutes) * 60_000 };
  const orders: Orders = { seed, ...until, ...(only === "" ? {} : { only }) };
  const results = join(crashFolder, "effects.jsonl");
  mkdirSync(crashFolder, { recursive: true });
  writeFileSync(results, "");
  const start = performance.now();
  const coverage = await exploreEffects(names, orders, Number(process.env["JOBS"] || "2"), (answer) => {
    if (answer.kind === "enumerated") console.log(`${answer.scenario}: ${answer.effects} effects, ${answer.cases} cases`);
    if (answer.kind !== "result") return;
    appendFileSync(results, `${JSON.stringify(answer.result)}\n`);
    if (answer.result.faults.length > 0) console.log(failureText(answer.result, seed));
  });
  for (const line of coverageLines(coverage)) console.log(line);
  console.log(`${((performance.now() - start) / 60_000).toFixed(1)} minutes`);
  return coverage.failures.length === 0 && coverage.results.every(({ faults }) => faults.length === 0) ? 0 : 1;
}

await program(main);
