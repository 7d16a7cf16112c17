/** What is used here of the report that vitest writes with `--reporter json`. */
export interface TestReport {
  readonly testResults: readonly FileResult[];
}

interface FileResult {
  /** The test file's path. */
  readonly name: string;
  readonly status: "passed" | "failed";
  /** Why the file as a whole failed. */
  readonly message: string;
  readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
}

export interface Sum {
  readonly passed: number;
  readonly skipped: number;
  /** A line for each. */
  readonly failures: readonly string[];
}

/**
 * Adds up a run of tests. A run that failed without a failed test (no tests found, no report, an error outside of any test) is one
 * failure: it must not count as nothing.
 *
 * @param report undefined when the run left none
 * @param succeeded whether the run's exit status was 0
 */
export function sumOf(project: string, report: TestReport | undefined, succeeded: boolean): Sum {
  const files = report?.testResults ?? [];
  const tests = files.flatMap(({ name, assertionResults }) => assertionResults.map((test) => ({ ...test, file: name })));
  const failures = [
    ...tests.filter((test) => test.status === "failed").map((test) => `${test.file}: ${test.fullName}`),
    ...files.filter(failedAsWhole).map(({ name, message }) => `${name}: ${message.split("\n")[0] ?? ""}`),
  ];
  if ((!succeeded || report === undefined) && failures.length === 0)
    failures.push(`the ${project} tests failed outside of any test, see above`);
  return {
    passed: tests.filter((test) => test.status === "passed").length,
    skipped: tests.filter((test) => !["passed", "failed"].includes(test.status)).length,
    failures,
  };
}

/** A file that cannot be loaded, or whose hooks fail, has failed with no failed test in it. */
function failedAsWhole({ status, assertionResults }: FileResult): boolean {
  return status === "failed" && !assertionResults.some((test) => test.status === "failed");
}

/** The closing line: `N passed, N failed`, and the skipped ones if there are any. */
export function closingLine(sums: readonly Sum[]): string {
  const total = (count: (sum: Sum) => number): number => sums.reduce((all, sum) => all + count(sum), 0);
  const skipped = total((sum) => sum.skipped);
  return `${total((sum) => sum.passed)} passed, ${total((sum) => sum.failures.length)} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}
