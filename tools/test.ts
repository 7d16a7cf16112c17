/**
 * Runs a gate: `test.ts check`, `test.ts all` or `test.ts vm`. Its last line is the sum over all test runs.
 *
 * Failed tests do not keep the other tests from running. Any other step that fails counts as one failure and ends the gate, for what
 * comes after would only repeat it.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

const root = join(import.meta.dirname, "..");
const results = join(root, "build/test-results");

/** A script of package.json, or the tests of a project of vitest.config.ts. */
type Step = { readonly kind: "script"; readonly name: string } | { readonly kind: "tests"; readonly project: string };

interface Sum {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What is used here of vitest's JSON report. */
interface Report {
  readonly testResults: readonly FileResult[];
}

interface FileResult {
  readonly name: string;
  readonly status: "passed" | "failed";
  /** Why the file as a whole failed. */
  readonly message: string;
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
}

const script = (name: string): Step => ({ kind: "script", name });
const tests = (project: string): Step => ({ kind: "tests", project });

const check = [script("format:check"), script("types"), script("lint"), script("dead-code"), tests("unit"), tests("system")];
const gates: Readonly<Record<string, readonly Step[]>> = {
  check,
  all: [...check, script("build"), script("image"), tests("vm")],
  vm: [tests("vm")],
};

const steps = gates[process.argv[2] ?? ""];
if (steps === undefined) throw new Error(`usage: test.ts ${Object.keys(gates).join("|")}`);
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

let sum: Sum = { passed: 0, failed: 0, skipped: 0 };
for (const step of steps) {
  const found = step.kind === "tests" ? runTests(step.project) : runScript(step.name);
  sum = { passed: sum.passed + found.passed, failed: sum.failed + found.failed, skipped: sum.skipped + found.skipped };
  if (step.kind === "script" && found.failed > 0) break;
}
const line = `${sum.passed} passed, ${sum.failed} failed${sum.skipped === 0 ? "" : `, ${sum.skipped} skipped`}`;
// For who cannot rely on the last line of the output, because make has words of its own after a failure.
writeFileSync(join(results, "sum.txt"), `${line}\n`);
console.log(line);
process.exitCode = sum.failed === 0 ? 0 : 1;

/** A script that succeeds is no test, and adds nothing. */
function runScript(name: string): Sum {
  console.log(`== ${name}`);
  const { status } = run(process.execPath, ["--run", name]);
  if (status === 0) return { passed: 0, failed: 0, skipped: 0 };
  console.log(`FAILED: ${name} (node --run ${name}); what comes after it was not run`);
  return { passed: 0, failed: 1, skipped: 0 };
}

function runTests(project: string): Sum {
  console.log(`== ${project} tests`);
  const file = join(results, `${project}.json`);
  const only = process.env["FILE"];
  const { status } = run(join(root, "node_modules/.bin/vitest"), [
    "run",
    ...["--project", project],
    ...["--reporter", "default", "--reporter", "json", `--outputFile.json=${file}`],
    ...(only === undefined || only === "" ? [] : [only]),
  ]);
  return addUp(project, status, file);
}

/** A run that failed without a failed test (no tests, no report, an error outside of any test) counts as one failure. */
function addUp(project: string, status: number | null, file: string): Sum {
  const files = readReport(file)?.testResults ?? [];
  const all = files.flatMap(({ name, assertionResults }) => assertionResults.map((test) => ({ ...test, file: relative(root, name) })));
  const failures = [
    ...all.filter((test) => test.status === "failed").map((test) => `${test.file}: ${test.fullName}`),
    ...files.filter(failedAsWhole).map(({ name, message }) => `${relative(root, name)}: ${message.split("\n")[0] ?? ""}`),
  ];
  if (status !== 0 && failures.length === 0) failures.push(`the ${project} tests ended with status ${String(status)}, see above`);
  for (const failure of failures) console.log(`FAILED: ${failure}`);
  const passed = all.filter((test) => test.status === "passed").length;
  return { passed, failed: failures.length, skipped: all.filter((test) => !["passed", "failed"].includes(test.status)).length };
}

/** A file that cannot be loaded, or whose hooks fail, has failed with no failed test in it. */
function failedAsWhole({ status, assertionResults }: FileResult): boolean {
  return status === "failed" && !assertionResults.some((test) => test.status === "failed");
}

function readReport(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Report;
  } catch {
    return undefined;
  }
}

function run(program: string, args: readonly string[]): { readonly status: number | null } {
  return spawnSync(program, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
}
