import { expect, test } from "vitest";
import { CommandError, commandText, endingText, lastLines } from "../../../src/system/command.ts";
import type { Ending } from "../../../src/system/ending.ts";

test.each<[Ending, string]>([
  [{ kind: "exited", status: 5 }, "failed with exit status 5"],
  [{ kind: "signalled", signal: "SIGSEGV" }, "was ended by SIGSEGV"],
  [{ kind: "timed-out", after: 1_500 }, "did not end within 1.5 s and was stopped"],
  [{ kind: "cancelled" }, "was stopped because the unit was"],
  [{ kind: "not-found" }, "is not installed"],
  [{ kind: "not-started", reason: "EACCES" }, "could not be started: EACCES"],
])("each ending has words of its own: %o", (ending, words) => {
  expect(endingText(ending)).toBe(words);
});

test("a command is shown as an operator would type it", () => {
  expect(commandText({ program: "mount", args: ["-o", "ro,nodev", "--", "/dev/vda6", "/var/my data", "", "it's", "$(id)"] })).toBe(
    "mount -o ro,nodev -- /dev/vda6 '/var/my data' '' 'it'\\''s' '$(id)'",
  );
});

test("input is no part of a command's text or of its error", () => {
  const error = new CommandError(
    { program: "cat", args: [], input: "canary", todo: "try" },
    { kind: "exited", status: 1 },
    "\n one \n\ntwo\nthree\nfour\n",
  );
  expect(error.problem).toEqual({ code: "tool-failed", what: "cat: failed with exit status 1", found: "two / three / four", todo: "try" });
  expect(error.message).toBe("cat: failed with exit status 1: found two / three / four");
  expect(error.retryable).toBe(false);
});

test("an error marked as retryable is the same error otherwise", () => {
  const error = new CommandError({ program: "lvs", args: [] }, { kind: "exited", status: 5 }, "busy\n");
  expect(error.asRetryable()).toMatchObject({ retryable: true, ending: error.ending, stderr: error.stderr, problem: error.problem });
});

test("the last lines are those with something in them", () => {
  expect(lastLines("", 3)).toBe("");
  expect(lastLines("\n\n", 3)).toBe("");
  expect(lastLines("a\r\nb\n\n", 1)).toBe("b");
});

test.each([
  ["tool-failed", { kind: "exited", status: 1 }],
  ["tool-killed", { kind: "signalled", signal: "SIGSEGV" }],
  ["tool-timed-out", { kind: "timed-out", after: 1000 }],
  ["tool-stopped", { kind: "cancelled" }],
  ["tool-not-found", { kind: "not-found" }],
  ["tool-not-started", { kind: "not-started", reason: "EACCES" }],
] as const)("%s is the code of that ending", (code, ending) => {
  expect(new CommandError({ program: "cat", args: [] }, ending, "").problem.code).toBe(code);
});
