import { expect, test } from "vitest";
import { problemText, unitLine, wrap } from "../../../../src/boot/show/run-text.ts";

test("lines break at blanks, and a long path stays whole", () => {
  expect(wrap("one two three", "", "  ", 8)).toEqual(["one two", "  three"]);
  expect(wrap("see /a/very/long/path now", "", "  ", 10)).toEqual(["see", "  /a/very/long/path", "  now"]);
  expect(wrap("", "> ", "  ", 10)).toEqual(["> "]);
});

test("a problem's labels stay aligned over several lines", () => {
  expect(
    problemText({
      code: "test-problem",
      what: "did not converge: everything was done, and something is still missing at the end of it",
      found: "first line\nsecond line",
      expected: "word ".repeat(30),
    }),
  ).toEqual([
    "did not converge: everything was done, and something is still missing at the",
    "end of it",
    "found    first line",
    "         second line",
    "expected word word word word word word word word word word word word word word",
    "         word word word word word word word word word word word word word word",
    "         word word",
  ]);
});

test("colour surrounds the outcome alone", () => {
  const unit = { name: "var", requires: [], prerequisite: false, onFailure: "stop", startedAt: 1, endedAt: 2, notes: [] } as const;
  const line = unitLine({ ...unit, result: { kind: "unchanged", activated: [] } }, (_, text) => `<${text}>`);
  expect(line).toBe("var                  <unchanged> 1.00 s");
});

test("a unit without an end says how far it came", () => {
  const unit = { name: "var", requires: [], prerequisite: false, onFailure: "stop", notes: [] } as const;
  expect(unitLine(unit)).toBe("var                  not started");
  expect(unitLine({ ...unit, startedAt: 3 })).toBe("var                  running");
});
