/**
 * Runs a gate: `test.ts check`, `test.ts all`, `test.ts vm` or `test.ts power`. Its last line is the sum over all test runs.
 *
 * Failed tests do not keep the other tests from running. Any other step that fails counts as one failure and ends the gate, for what
 * comes after would only repeat it.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { closingLine, type Sum, sumOf, type TestReport } from "./test-report.ts";

const root = join(import.meta.dirname, "..");
const results = join(root, "build/test-results");

/** A script of package.json, or the tests of a project of vitest.config.ts. */
type Step = { readonly kind: "script"; readonly name: string } | { readonly kind: "tests"; readonly project: string };

const script = (name: string): Step => ({ kind: "script", name });
const tests = (project: string): Step => ({ kind: "tests", project });

const check = [script("format:check"), script("types"), script("lint"), script("dead-code"), tests("unit"), tests("system")];
const gates: Readonly<Record<string, readonly Step[]>> = {
  check,
  all: [...check, script("build"), script("image"), tests("vm")],
  vm: [tests("vm")],
  power: [tests("power")],
};

const steps = gates[process.argv[2] ?? ""];
if (steps === undefined) throw new Error(`usage: test.ts ${Object.keys(gates).join("|")}`);
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

const sums: Sum[] = [];
for (const step of steps) {
  const sum = step.kind === "tests" ? runTests(step.project) : runScript(step.name);
  for (const failure of sum.failures) console.log(`FAILED: ${failure}`);
  sums.push(sum);
  if (step.kind === "script" && sum.failures.length > 0) break;
}
const line = closingLine(sums);
// For who cannot rely on the last line of the output, because make has words of its own after a failure.
writeFileSync(join(results, "sum.txt"), `${line}\n`);
console.log(line);
process.exitCode = sums.every(({ failures }) => failures.length === 0) ? 0 : 1;

/** A script that succeeds is no test, and adds nothing. */
function runScript(name: string): Sum {
  console.log(`== ${name}`);
  const succeeded = run(process.execPath, ["--run", name]);
  return { passed: 0, skipped: 0, failures: succeeded ? [] : [`${name} (node --run ${name}); what comes after it was not run`] };
}

function runTests(project: string): Sum {
  console.log(`== ${project} tests`);
  const file = join(results, `${project}.json`);
  // One file, where one kind of test was asked for.
  const only = steps?.length === 1 ? (process.env["FILE"] ?? "") : "";
  const succeeded = run(join(root, "node_modules/.bin/vitest"), [
    "run",
    ...["--project", project],
    ...["--reporter", "default", "--reporter", "json", `--outputFile.json=${file}`],
    ...(only === "" ? [] : [only]),
  ]);
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
function run(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] }).status === 0;
}
