import { expect, test } from "vitest";
import { closingLine, sumOf, type TestReport } from "../../../tools/test-report.ts";

type Status = "passed" | "failed" | "skipped" | "todo";

function report(status: "passed" | "failed", ...statuses: readonly Status[]): TestReport {
  const assertionResults = statuses.map((each, index) => ({ status: each, fullName: `test ${index}` }));
  return { testResults: [{ name: "a.test.ts", status, message: "cannot load it\nstack", assertionResults }] };
}

test("passed, failed and skipped tests are counted, and the failed ones named", () => {
  const sum = sumOf("unit", report("failed", "passed", "failed", "passed", "skipped", "todo"), false);
  expect(sum).toEqual({ passed: 2, skipped: 2, failures: ["a.test.ts: test 1"] });
});

test("a file that could not be loaded is a failure", () => {
  expect(sumOf("unit", report("failed"), false).failures).toEqual(["a.test.ts: cannot load it"]);
});

test("a file whose hook fails after its tests have passed is a failure", () => {
  expect(sumOf("unit", report("failed", "passed"), false)).toEqual({ passed: 1, skipped: 0, failures: ["a.test.ts: cannot load it"] });
});

test("a run that failed with no failed test is a failure", () => {
  expect(sumOf("unit", report("passed", "passed"), false).failures).toEqual(["the unit tests failed outside of any test, see above"]);
});

test("a run that left no report is a failure", () => {
  expect(sumOf("vm", undefined, false).failures).toHaveLength(1);
});

test("a run that left no report and yet succeeded is not taken for a pass", () => {
  expect(sumOf("vm", undefined, true).failures).toHaveLength(1);
});

test("the closing line adds up all runs, and names skipped tests only if there are any", () => {
  const one = { passed: 2, skipped: 0, failures: [] };
  expect(closingLine([])).toBe("0 passed, 0 failed");
  expect(closingLine([one, one])).toBe("4 passed, 0 failed");
  expect(closingLine([one, { passed: 1, skipped: 3, failures: ["a", "b"] }])).toBe("3 passed, 2 failed, 3 skipped");
});
