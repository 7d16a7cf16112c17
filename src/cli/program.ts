import { Command, CommanderError } from "commander";
import type { Problem } from "../base/problem.ts";
import { addCommands } from "./commands.ts";
import { exitCodeLines, exitCodes, type ExitName } from "../run/exit-codes.ts";
import { ExitError } from "../run/exit-error.ts";
import { rootHelp } from "./help.ts";
import { profileSetup } from "../run/load-setup.ts";
import type { CommandContext } from "./command-context.ts";
import { printJson, type Terminal } from "../run/terminal.ts";
import { usageProblem } from "./usage-problem.ts";
import { version } from "./version.ts";

/**
 * Parses the arguments, runs the command and returns the exit code. A command's modules are loaded when it is called: `--help` must not
 * load D-Bus.
 *
 * @param args the words after the program's name
 * @param setup loads the setup; replaced in tests
 * @returns the exit code
 */
export async function main(args: readonly string[], terminal: Terminal, setup: CommandContext["setup"] = profileSetup): Promise<number> {
  try {
    return exitCodes[await dispatch(args, terminal, setup)].code;
  } catch (error) {
    return report(error, args, terminal);
  }
}

async function dispatch(args: readonly string[], terminal: Terminal, setup: CommandContext["setup"]): Promise<ExitName> {
  let exit: ExitName = "ok";
  const program = guestosProgram({
    terminal,
    setup,
    end: (ended) => {
      exit = ended;
    },
    // Loading them loads all the schemas, which only this command (and the completion of its options) needs.
    entries: args.includes("config-image") ? await (await import("./medium-entries.ts")).allTopLevelEntries() : [],
  });
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode !== 0) throw new ExitError("usage", usageProblem(error, args, program));
    throw error;
  }
  return exit;
}

/** The whole command line as commander's objects: run by the program, and the source of the manual and the completions. */
export function guestosProgram(context: CommandContext): Command {
  const program = new Command("guestos-boot")
    .description("Brings a GuestOS from a blank disk to a running node, and keeps it running.")
    .version(`guestos-boot ${version}`, "--version", "print the version")
    .helpOption("--help", "show this help")
    .commandsGroup("Other commands:")
    .helpCommand("help [command]", "show the help of a command")
    .exitOverride()
    // Columns that are left for a description beside the longest name; with fewer, commander wraps none.
    .configureHelp({ minWidthToWrap: 30 })
    .configureOutput({
      writeOut: (text) => context.terminal.print(text.trimEnd()),
      // report() words all errors, in the same way.
      writeErr: () => undefined,
    })
    .addHelpText("after", `\n${rootHelp}\n\nExit codes:\n${exitCodeLines().join("\n")}`);
  addCommands(program, context);
  return program;
}

/** Reports any error in the same way; with --json also as a document, because programs do not parse prose. */
async function report(error: unknown, args: readonly string[], terminal: Terminal): Promise<number> {
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok.code;
  const { exit, problem } = await explained(error);
  const { code } = exitCodes[exit];
  const { problemText } = await import("../boot/show/run-text.ts");
  const [first = "", ...others] = problemText(problem);
  terminal.complain([`guestos-boot: ${first}`, ...others.map((line) => `  ${line}`)].join("\n"));
  if (args.includes("--json")) printJson(terminal, { exitCode: code, problem });
  return code;
}

async function explained(error: unknown): Promise<{ readonly exit: ExitName; readonly problem: Problem }> {
  if (error instanceof ExitError) return error;
  const { ProblemError, toProblem } = await import("../base/problem.ts");
  const outside = error instanceof ProblemError || (error instanceof Error && "syscall" in error);
  return { exit: outside ? "refused" : "defect", problem: toProblem(error) };
}
