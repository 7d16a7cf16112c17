import { expect, test } from "vitest";
import { managebootVerbs, translatedArguments } from "../../../src/cli/manageboot.ts";
import { wholeCommandLine } from "../../../tools/man/manual.ts";

test("the old verbs mean the same by name of the program, as a command, and after the word guestos", () => {
  for (const [argv0, args] of [
    ["manageboot", ["upgrade-commit", "--no-reboot"]],
    ["/usr/bin/manageboot", ["guestos", "upgrade-commit", "--no-reboot"]],
    ["guestos-boot", ["manageboot", "upgrade-commit", "--no-reboot"]],
  ] as const) {
    expect(translatedArguments(argv0, args)).toEqual(["upgrade", "commit", "--no-reboot"]);
  }
});

test("what is no old verb is left for the parser to refuse, and nothing else is touched", () => {
  expect(translatedArguments("manageboot", ["toString"])).toEqual(["manageboot", "toString"]);
  expect(translatedArguments("manageboot", [])).toEqual(["manageboot"]);
  expect(translatedArguments("node", ["run", "confirm"])).toEqual(["run", "confirm"]);
});

test("every old verb is a command here", () => {
  const upgrade = wholeCommandLine().commands.find(({ words }) => words[0] === "upgrade");
  const commands = upgrade?.commands.map(({ words }) => words);
  for (const words of Object.values(managebootVerbs)) expect(commands).toContainEqual(words);
});
