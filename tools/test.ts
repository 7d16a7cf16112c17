/**
 * Runs a gate: `test.ts check`, `test.ts all`, `test.ts vm` or `test.ts power`. Its last line is the sum over all test runs.
 *
 * Failed tests do not keep the other tests from running. Any other step that fails counts as one failure and ends the gate, for what
 * comes after would only repeat it.
 */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { closingLine, type Sum, sumOf, type TestReport } from "./test-report.ts";

const root = join(import.meta.dirname, "..");
const results = join(root, "build/test-results");

/**
 * A script of package.json; or lanes of tests, which run at the same time. In a lane stand projects of vitest.config.ts, which run one
 * after the other, each in a process of its own.
 */
type Step = { readonly kind: "script"; readonly name: string } | { readonly kind: "tests"; readonly lanes: readonly Lane[] };
type Lane = readonly string[];

const script = (name: string): Step => ({ kind: "script", name });
const tests = (...lanes: readonly Lane[]): Step => ({ kind: "tests", lanes });

/** What is done one after the other; and scripts that are run beside it, whose images whole boots wait for. */
interface Gate {
  readonly steps: readonly Step[];
  readonly beside?: readonly string[];
}

const fast = [script("format:check"), script("types"), script("lint"), script("dead-code"), tests(["unit"])];
const gates: Readonly<Record<string, Gate>> = {
  check: { steps: [...fast, tests(["command-line"], ["system"])] },
  // Tests on real tools keep one core busy: whole boots begin beside them.
  all: { steps: [...fast, tests(["command-line", "vm"], ["system"])], beside: ["build", "image", "image:boundary"] },
  vm: { steps: [tests(["vm"])] },
  power: { steps: [tests(["power"])] },
};

const gate = gates[process.argv[2] ?? ""];
if (gate === undefined) throw new Error(`usage: test.ts ${Object.keys(gates).join("|")}`);
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

const sums: Sum[] = [];
const beside = runBeside(gate.beside ?? []);
await runAll(gate.steps);
// It writes to build/ until it has ended, also when nobody needs what comes out of it.
await beside;
const line = closingLine(sums);
// For who cannot rely on the last line of the output, because make has words of its own after a failure.
writeFileSync(join(results, "sum.txt"), `${line}\n`);
console.log(line);
process.exitCode = sums.every(({ failures }) => failures.length === 0) ? 0 : 1;

async function runAll(steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    const found = step.kind === "tests" ? (await Promise.all(step.lanes.map(runLane))).flat() : [await runScript(step.name)];
    sums.push(...found);
    if (step.kind === "script" && found.some(({ failures }) => failures.length > 0)) return;
  }
}

/** The first lane of several shows what it does as it does it, the others when they are done. */
async function runLane(lane: Lane, index: number): Promise<readonly Sum[]> {
  const found: Sum[] = [];
  for (const project of lane) {
    const missing = project === "vm" ? await beside : undefined;
    found.push(missing === undefined ? await runTests(project, index === 0) : failureOf(missing));
    for (const failure of found.at(-1)?.failures ?? []) console.log(`FAILED: ${failure}`);
  }
  return found;
}

/** A script that succeeds is no test, and adds nothing. */
async function runScript(name: string): Promise<Sum> {
  console.log(`== ${name}`);
  const sum = (await run(process.execPath, ["--run", name])) ? { passed: 0, skipped: 0, failures: [] } : failureOf(name);
  for (const failure of sum.failures) console.log(`FAILED: ${failure}`);
  return sum;
}

function failureOf(name: string): Sum {
  return { passed: 0, skipped: 0, failures: [`${name} (node --run ${name}); what comes after it was not run`] };
}

/** One after the other; what they print is shown when all is done. @returns the name of the one that failed */
async function runBeside(names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const log = join(results, `${name}.log`);
    const output = openSync(log, "w");
    const succeeded = await run(process.execPath, ["--run", name], output);
    closeSync(output);
    console.log(`== ${name}\n${readFileSync(log, "utf8").trimEnd()}`);
    if (!succeeded) return name;
  }
  return undefined;
}

/** @param isShown as it goes on; what it prints otherwise is shown at its end */
async function runTests(project: string, isShown: boolean): Promise<Sum> {
  const log = join(results, `${project}.log`);
  const output = isShown ? "inherit" : openSync(log, "w");
  if (isShown) console.log(`== ${project} tests`);
  const file = join(results, `${project}.json`);
  // One file, where one kind of test was asked for.
  const only = gate?.steps.length === 1 ? (process.env["FILE"] ?? "") : "";
  const args = ["run", "--project", project, "--reporter", "default", "--reporter", "json", `--outputFile.json=${file}`];
  const succeeded = await run(join(root, "node_modules/.bin/vitest"), [...args, ...(only === "" ? [] : [only])], output);
  if (output !== "inherit") {
    closeSync(output);
    console.log(`== ${project} tests\n${readFileSync(log, "utf8").trimEnd()}`);
  }
  return sumOf(project, readReport(file), succeeded);
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
