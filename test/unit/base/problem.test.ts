import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { oneLine, type Problem, ProblemError, problemLines, placeText, toProblem } from "../../../src/base/problem.ts";

const whole: Problem = {
  code: "test-problem",
  what: "bad address",
  where: { file: "network.conf", line: 3, column: 14 },
  found: "fe80::x",
  expected: "an IPv6 address",
  todo: "repair the file",
};

test("a problem in one line says where, what, what was found and what was expected", () => {
  expect(oneLine(whole)).toBe("network.conf:3:14: bad address: found fe80::x, expected an IPv6 address");
  expect(oneLine({ code: "test-problem", what: "no disk" })).toBe("no disk");
});

test("a problem in lines has one for each thing that is known", () => {
  expect(problemLines(whole)).toEqual([
    "bad address",
    "at       network.conf:3:14",
    "found    fe80::x",
    "expected an IPv6 address",
    "to do    repair the file",
  ]);
  expect(problemLines({ code: "test-problem", what: "no disk" })).toEqual(["no disk"]);
});

test("a place is as exact as it is known", () => {
  expect(placeText({ file: "a" })).toBe("a");
  expect(placeText({ file: "a", line: 2 })).toBe("a:2");
});

test("an error carries its problem, is not retryable unless it says so, and keeps its cause", () => {
  const cause = new Error("inner");
  const error = new ProblemError(whole, { retryable: true, cause });
  expect(error).toMatchObject({ problem: whole, retryable: true, cause, message: oneLine(whole), wake: undefined });
  expect(new ProblemError(whole)).toMatchObject({ retryable: false });
  expect("cause" in new ProblemError(whole)).toBe(false);
  expect(toProblem(error)).toBe(whole);
});

test("an error of the system names the call and the path", async () => {
  const error: unknown = await readFile("/no/such/file").catch((reason: unknown) => reason);
  expect(toProblem(error)).toEqual({
    code: "system-call-failed",
    what: "cannot open /no/such/file",
    found: expect.stringContaining("ENOENT"),
  });
});

test("anything else that is thrown is a defect of ours, and says so", () => {
  expect(toProblem(new TypeError("x is undefined"))).toMatchObject({
    what: "a defect in guestos-boot",
    found: expect.stringContaining("TypeError: x is undefined"),
  });
  expect(toProblem("text")).toMatchObject({ what: "a defect in guestos-boot", found: "text" });
  expect(toProblem(undefined)).toMatchObject({ found: "undefined" });
});
