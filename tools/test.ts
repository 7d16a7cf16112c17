/**
 * Runs a gate: `test.ts NAME`, by its name in tools/gates.ts. Its last line is the sum over all test runs.
 *
 * FILE= and TEST= choose among the tests: files whose path has that in it, tests whose name matches that. Then nothing else is done.
 *
 * Failed tests do not keep the other tests from running. Any other step that fails counts as one failure and ends the gate, for what
 * comes after would only repeat it.
 */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { type Build, gates, type Lane, type Step } from "./gates.ts";
import { closingLine, type Sum, sumOf, type TestReport } from "./test-report.ts";

const root = join(import.meta.dirname, "..");
const results = join(root, "build/test-results");

const gate = gates[process.argv[2] ?? ""];
if (gate === undefined) throw new Error(`usage: test.ts ${Object.keys(gates).join("|")}`);
/** Arguments of vitest: given as FILE= and TEST=, and absent or empty otherwise. */
const chosen = [
  ...[process.env["FILE"] ?? ""].filter((path) => path !== ""),
  ...[process.env["TEST"] ?? ""].flatMap((name) => (name === "" ? [] : ["--testNamePattern", name])),
];
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

const sums: Sum[] = [];
if (chosen.length > 0) {
  sums.push(await runTests(gate.chosen ?? gate.steps.flatMap((step) => (step.kind === "tests" ? step.lanes.flat() : [])), true));
} else {
  const builds = startBuilds(gate.beside ?? []);
  await runAll(gate.steps, builds);
  // They write to build/ until they have ended, also when no one needs what comes out of them.
  await Promise.all(builds.values());
}
const searched = runsSearched();
if (searched > 0) console.log(`secrets of the tests were searched for in what ${searched} runs of units, commands and upgrades showed`);
const line = closingLine(sums);
// For who cannot rely on the last line of the output, because make has words of its own after a failure.
writeFileSync(join(results, "sum.txt"), `${line}\n`);
console.log(line);
process.exitCode = sums.every(({ failures }) => failures.length === 0) ? 0 : 1;

async function runAll(steps: readonly Step[], builds: Builds): Promise<void> {
  for (const step of steps) {
    const all = step.kind === "tests" ? step.lanes.map(async (lane, index) => runLane(lane, index, builds)) : step.names.map(runScript);
    const found = (await Promise.all(all)).flat();
    sums.push(...found);
    if (step.kind === "scripts" && found.some(({ failures }) => failures.length > 0)) return;
  }
}

/** The first lane of several shows what it does as it does it, the others when they are done. */
async function runLane(lane: Lane, index: number, builds: Builds): Promise<readonly Sum[]> {
  const found: Sum[] = [];
  for (const project of lane) {
    const missing = await builds.get(project);
    found.push(missing === undefined ? await runTests([project], index === 0) : failureOf(missing));
    for (const failure of found.at(-1)?.failures ?? []) console.log(`FAILED: ${failure}`);
  }
  return found;
}

/** What it prints is shown when it has ended. A script that succeeds is no test, and adds nothing. */
async function runScript(name: string): Promise<Sum> {
  const succeeded = await runLogged(name, process.execPath, ["--run", name]);
  const sum = succeeded ? { passed: 0, skipped: 0, failures: [] } : failureOf(name);
  for (const failure of sum.failures) console.log(`FAILED: ${failure}`);
  return sum;
}

function failureOf(name: string): Sum {
  return { passed: 0, skipped: 0, failures: [`${name} (node --run ${name}); what comes after it was not run`] };
}

/** By the project that waits for it, the name of the script that failed. */
type Builds = ReadonlyMap<string, Promise<string | undefined>>;

/** Starts what is built beside the tests, one after the other. */
function startBuilds(builds: readonly Build[]): Builds {
  const started = new Map<string, Promise<string | undefined>>();
  let last: Promise<string | undefined> = Promise.resolve(undefined);
  for (const { names, awaitedBy } of builds) {
    const before = last;
    last = (async () => (await before) ?? runScripts(names))();
    started.set(awaitedBy, last);
  }
  return started;
}

/** One after the other. @returns the name of the one that failed */
async function runScripts(names: readonly string[]): Promise<string | undefined> {
  for (const name of names) if (!(await runLogged(name, process.execPath, ["--run", name]))) return name;
  return undefined;
}

/** @param isShown as it goes on; what it prints otherwise is shown at its end */
async function runTests(projects: readonly string[], isShown: boolean): Promise<Sum> {
  const name = projects.join("+");
  const file = join(results, `${name.replaceAll(/\W+/g, "-")}.json`);
  const vitest = join(root, "node_modules/.bin/vitest");
  const reporters = ["--reporter", "default", "--reporter", "json", `--outputFile.json=${file}`];
  const args = ["run", ...projects.flatMap(projectArguments), ...reporters, ...chosen];
  if (isShown) console.log(`== ${name} tests`);
  const succeeded = isShown ? await run(vitest, args) : await runLogged(`${name} tests`, vitest, args);
  return sumOf(name, readReport(file), succeeded);
}

/** Each file of tests adds its own (test/support/watch-secrets.ts). */
function runsSearched(): number {
  const file = join(results, "searched-for-secrets.txt");
  return existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .reduce((sum, line) => sum + Number(line.split(" ")[0]), 0)
    : 0;
}

/** `unit`, or `command-line 1/2`: that half of its files. */
function projectArguments(name: string): readonly string[] {
  const [project = "", shard] = name.split(" ");
  return ["--project", project, ...(shard === undefined ? [] : ["--shard", shard])];
}

/** Undefined when the run ended before it wrote one, or while it did. */
function readReport(file: string): TestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8").replaceAll(`${root}/`, "")) as TestReport;
  } catch {
    return undefined;
  }
}

/** @returns whether it succeeded */
async function run(program: string, args: readonly string[], output: number | "inherit" = "inherit"): Promise<boolean> {
  const child = spawn(program, args, { cwd: root, stdio: ["ignore", output, output] });
  const [status] = (await once(child, "close")) as [number | null];
  return status === 0;
}

/** As `run`; what it prints is kept in a file, and shown when it has ended. */
async function runLogged(name: string, program: string, args: readonly string[]): Promise<boolean> {
  const log = join(results, `${name.replaceAll(/\W+/g, "-")}.log`);
  const output = openSync(log, "w");
  const succeeded = await run(program, args, output);
  closeSync(output);
  console.log(`== ${name}\n${readFileSync(log, "utf8").trimEnd()}`);
  return succeeded;
}
