import { Command, CommanderError } from "commander";
import { nearest } from "../base/nearest.ts";
import { foreignText } from "../base/foreign-words.ts";
import type { Problem } from "../base/problem.ts";
import { addCommands, commandNames } from "./commands.ts";
import { exitCodeLines, exitCodes, type ExitName } from "../run/exit-codes.ts";
import { ExitError } from "../run/exit-error.ts";
import { commandGroups, rootHelp } from "./help.ts";
import { profileSetup } from "../run/load-setup.ts";
import type { Surroundings } from "./command-context.ts";
import { printJson, type Terminal } from "../run/terminal.ts";
import { upgradeCommandNames } from "./upgrade-commands.ts";
import { version } from "./version.ts";

/**
 * Parses the arguments, runs the command and says how the program ends. What a command needs is loaded when it is
 * called: `--help` must not pay for D-Bus.
 *
 * @param args what was typed after the program's name
 * @param setup what is run and where; another one in tests
 * @returns the exit code
 */
export async function main(args: readonly string[], terminal: Terminal, setup: Surroundings["setup"] = profileSetup): Promise<number> {
  try {
    return exitCodes[await dispatch(args, terminal, setup)].code;
  } catch (error) {
    return report(error, args, terminal);
  }
}

async function dispatch(args: readonly string[], terminal: Terminal, setup: Surroundings["setup"]): Promise<ExitName> {
  let exit: ExitName = "ok";
  const program = guestosProgram({
    terminal,
    setup,
    end: (ended) => {
      exit = ended;
    },
    // With them come all the schemas, which only this command needs (and who asks what may follow it).
    entries: args.includes("config-image") ? await (await import("./medium-entries.ts")).allTopLevelEntries() : [],
  });
  await program.parseAsync(args, { from: "user" });
  return exit;
}

/** The whole command line, as commander has it: what is run, and what the manual and the completions are made from. */
export function guestosProgram(surroundings: Surroundings): Command {
  const program = new Command("guestos-boot")
    .description("Brings a GuestOS from a blank disk to a running node, and keeps it that way.")
    .version(`guestos-boot ${version}`, "--version", "print the version")
    .helpOption("--help", "show this help")
    .commandsGroup("Other commands:")
    .helpCommand("help [command]", "show the help of a command")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => surroundings.terminal.print(text.trimEnd()),
      // Errors are worded in report(), all in the same way.
      writeErr: () => undefined,
    })
    .addHelpText("after", `\n${rootHelp}\n\nExit codes:\n${exitCodeLines().join("\n")}`);
  addCommands(program, surroundings);
  for (const command of program.commands) {
    const group = commandGroups.find(({ commands }) => commands.includes(command.name()));
    if (group !== undefined) command.helpGroup(`${group.title}:`);
  }
  return program;
}

/** Says in one way whatever went wrong; with --json in a document too, because programs read no prose. */
async function report(error: unknown, args: readonly string[], terminal: Terminal): Promise<number> {
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok.code;
  const { exit, problem } = await explained(error, args);
  const { code } = exitCodes[exit];
  const { problemText } = await import("../boot/show/run-text.ts");
  const [first = "", ...others] = problemText(problem);
  terminal.complain([`guestos-boot: ${first}`, ...others.map((line) => `  ${line}`)].join("\n"));
  if (args.includes("--json")) printJson(terminal, { exitCode: code, problem });
  return code;
}

async function explained(error: unknown, args: readonly string[]): Promise<{ readonly exit: ExitName; readonly problem: Problem }> {
  if (error instanceof ExitError) return error;
  if (error instanceof CommanderError) return { exit: "usage", problem: usageProblem(error, args) };
  const { ProblemError, toProblem } = await import("../base/problem.ts");
  const outside = error instanceof ProblemError || (error instanceof Error && "syscall" in error);
  return { exit: outside ? "refused" : "defect", problem: toProblem(error) };
}

function usageProblem(error: CommanderError, args: readonly string[]): Problem {
  const [first = ""] = args;
  if (error.code === "commander.excessArguments" && first === "upgrade") {
    const [, second = ""] = args;
    const meant = nearest(second, upgradeCommandNames);
    if (!second.startsWith("-") && !upgradeCommandNames.includes(second)) {
      return {
        code: "unknown-command",
        what: `there is no command ${JSON.stringify(foreignText(`upgrade ${second}`))}`,
        todo: meant === undefined ? SEE_HELP : `did you mean ${meant}?`,
      };
    }
  }
  // A word that is no command reaches the default command as an argument too many.
  if (error.code === "commander.excessArguments" && !first.startsWith("-") && !commandNames.includes(first)) {
    const meant = nearest(first, commandNames);
    return {
      code: "unknown-command",
      what: `there is no command ${JSON.stringify(foreignText(first))}`,
      todo: meant === undefined ? SEE_HELP : `did you mean ${meant}?`,
    };
  }
  const [what = "", suggestion] = foreignText(error.message)
    .replace(/^error: /, "")
    .split("\n");
  const meant = /^\(Did you mean (.*)\?\)$/.exec(suggestion ?? "")?.[1];
  return { code: "usage-wrong", what: what.replace(/\.$/, ""), todo: meant === undefined ? SEE_HELP : `did you mean ${meant}?` };
}

const SEE_HELP = "see guestos-boot --help";
