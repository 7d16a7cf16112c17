import { expect, test } from "vitest";
import { recoveryPassphrase } from "../../../src/config/recovery-passphrase.ts";
import { ProblemError } from "../../../src/base/problem.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

test("a long enough passphrase is taken as it is, blanks and signs included", () => {
  expect(recoveryPassphrase(bytes(' six words  of "chance" ')).expose()).toEqual(bytes(' six words  of "chance" '));
  expect(recoveryPassphrase(bytes("abcdefgh".repeat(64))).expose()).toHaveLength(512);
});

test.each([
  ["nothing", "", "too few"],
  ["15 characters", "canary-canary-c", "too few"],
  ["513 characters", `${"canary-d".repeat(64)}x`, "too many"],
  ["a letter that is not ASCII", "canary-grün-und-blau", "not printable ASCII"],
  ["a tab", "canary\tand-other-birds", "not printable ASCII"],
  ["few different characters", "canarycanarycanarycanary", "too few different"],
])("%s is refused, without a word of what was typed", (_, text, found) => {
  const refused = ((): unknown => {
    try {
      return recoveryPassphrase(bytes(text));
    } catch (error) {
      return error;
    }
  })();
  expect(refused).toBeInstanceOf(ProblemError);
  expect(JSON.stringify((refused as ProblemError).problem)).toContain(found);
  expect(`${String(refused)}${JSON.stringify(refused)}`).not.toContain("canary");
});
