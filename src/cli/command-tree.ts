import type { Command, Option } from "commander";
import { defaultCommandOf } from "./add-command.ts";

/** A command, as the manual and the completions need it. */
export interface CommandFacts {
  /** The words that call it; empty for the program itself. */
  readonly words: readonly string[];
  /** As in `Usage:`, with the words. */
  readonly usage: string;
  readonly description: string;
  readonly arguments: readonly ArgumentFacts[];
  /** The options in --help; hidden ones are left out. */
  readonly options: readonly OptionFacts[];
  /** The text of --help below the options: paragraphs, and blocks of examples. */
  readonly text: string;
  /** The heading under which --help lists it. */
  readonly group: string;
  readonly commands: readonly CommandFacts[];
  /** The subcommand that is called when none is named. */
  readonly byDefault: string | undefined;
}

export interface ArgumentFacts {
  /** As in the usage, without brackets: `image`. */
  readonly name: string;
  readonly description: string;
}

export interface OptionFacts {
  /** `--wait`. Every option of this program is a long one. */
  readonly name: string;
  /** `--wait [seconds]`. */
  readonly term: string;
  /** With choices and default, as --help words it. */
  readonly description: string;
  readonly value: "none" | "optional" | "required";
  /** The name of its value: `seconds`. */
  readonly valueName: string;
  readonly choices: readonly string[];
}

/** The command line as data, from the same objects that parse it. */
export function commandTree(command: Command, parents: readonly string[] = []): CommandFacts {
  const help = command.createHelp();
  const words = command.parent === null ? parents : [...parents, command.name()];
  const described = helpText(command);
  const [, below = ""] = described.split(command.helpInformation());
  return {
    words,
    usage: help.commandUsage(command),
    description: command.description(),
    arguments: command.registeredArguments.map((argument) => ({ name: argument.name(), description: argument.description })),
    options: help.visibleOptions(command).map((option) => optionFacts(option, help.optionDescription(option))),
    text: below.trim(),
    group: command.helpGroup().replace(/:$/, ""),
    // Commander lists its own `help` too, which is none of the program's commands.
    commands: help
      .visibleCommands(command)
      .filter((child) => child.name() !== "help")
      .map((child) => commandTree(child, words)),
    byDefault: defaultCommandOf(command),
  };
}

/** The full output of --help. */
function helpText(command: Command): string {
  let text = "";
  const before = command.configureOutput();
  command.configureOutput({ ...before, writeOut: (part) => (text += part) });
  command.outputHelp();
  command.configureOutput(before);
  return text;
}

function optionFacts(option: Option, description: string): OptionFacts {
  return {
    name: option.long ?? option.flags,
    term: option.flags,
    description,
    value: option.required ? "required" : option.optional ? "optional" : "none",
    valueName: /[<[]([^\]>]+)/.exec(option.flags)?.[1] ?? "",
    choices: option.argChoices ?? [],
  };
}
