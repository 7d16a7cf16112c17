import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exitCodes } from "../../../src/run/exit-codes.ts";
import { wholeCommandLine } from "../../../tools/man/manual.ts";

const operator = readFileSync(join(import.meta.dirname, "../../../docs/operator.md"), "utf8");

test("no code means two things", () => {
  const codes = Object.values(exitCodes).map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
});

test("docs/operator.md has the table, code by code", () => {
  const documented = [...operator.matchAll(/^\| (\d+) \| (.*) \|$/gm)].map(([, code, meaning]) => ({ code: Number(code), meaning }));
  expect(documented).toEqual(Object.values(exitCodes).map(({ code, meaning }) => ({ code, meaning })));
});

test("docs/operator.md has a section for every command: add a heading ### guestos-boot COMMAND", () => {
  const described = [...operator.matchAll(/^### (guestos-boot.*)$/gm)].flatMap(([, title = ""]) => title.split(", "));
  const commands = wholeCommandLine().commands.map(({ words: [name = ""] }) => `guestos-boot ${name}`);
  expect(described.toSorted()).toEqual(["guestos-boot", ...commands].toSorted());
});
