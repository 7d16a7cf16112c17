import type { Command, CommanderError } from "commander";
import { foreignText } from "../base/foreign-words.ts";
import { didYouMean } from "../base/nearest.ts";
import type { Problem } from "../base/problem.ts";

const SEE_HELP = "see guestos-boot --help";

/** What is wrong with a command line, from commander's error. */
export function usageProblem(error: CommanderError, args: readonly string[], program: Command): Problem {
  const [first = "", second = ""] = args;
  // A word that is no command reaches the default command as an excess argument.
  if (error.code === "commander.excessArguments") {
    const group = program.commands.find((command) => command.name() === first && command.commands.length > 0);
    const word = group === undefined ? first : second;
    const names = (group ?? program)
      .createHelp()
      .visibleCommands(group ?? program)
      .map((command) => command.name());
    if (!word.startsWith("-") && !names.includes(word)) {
      return {
        code: "unknown-command",
        what: `there is no command ${JSON.stringify(foreignText(group === undefined ? word : `${first} ${word}`))}`,
        todo: didYouMean(word, names, SEE_HELP),
      };
    }
  }
  const [what = "", suggestion] = foreignText(error.message)
    .replace(/^error: /, "")
    .split("\n");
  const meant = /^\(Did you mean (.*)\?\)$/.exec(suggestion ?? "")?.[1];
  return { code: "usage-wrong", what: what.replace(/\.$/, ""), todo: meant === undefined ? SEE_HELP : `did you mean ${meant}?` };
}
