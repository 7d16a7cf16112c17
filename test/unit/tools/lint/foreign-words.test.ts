import { expect, test } from "vitest";
import { heldTo, refusedBy } from "../../../support/own-rule.ts";

const RULE = "guestos/foreign-words";

test("what an error says is not passed on as it is, in no way of getting at it", () => {
  const refused = [
    "export const a = (error: Error) => error.message;",
    "export const b = (reason: Error) => `it failed: ${reason.stack}`;",
    "export const c = (cause: unknown) => `it failed: ${String(cause)}`;",
    "export const d = (thrown: Error) => [foreignText(String(1)), thrown.message];",
  ];
  const taken = [
    "export const e = (error: Error) => foreignText(error.message);",
    "export const f = (error: Error) => foreignWords(`${error.stack}`);",
    "export const g = (thrown: unknown) => new Error(String(thrown));",
    "export const h = (problem: Error) => problem.message;",
    "export const i = (error: unknown) => foreignWords(error);",
  ];
  const { lines, words } = refusedBy(RULE, [...refused, ...taken]);
  expect(lines).toEqual([1, 2, 3, 4]);
  expect(words).toEqual([expect.stringContaining("foreignWords")]);
});

test("make check holds all of the program to it", () => {
  expect(heldTo(RULE)).toEqual([["src/**"]]);
});
