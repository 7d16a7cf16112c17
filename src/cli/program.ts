import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { exitCodeLines, exitCodes, type ExitName } from "./exit-codes.ts";
import { ExitError } from "./exit-error.ts";
import { nearest } from "../config/nearest.ts";
import { printJson, type Terminal } from "./terminal.ts";
import { version } from "./version.ts";

/**
 * Parses the arguments, runs the command and says how the program ends. What a command needs is loaded when it is
 * called: `--help` must not pay for D-Bus.
 *
 * @param args what was typed after the program's name
 * @returns the exit code
 */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return exitCodes[await dispatch(args, terminal)].code;
  } catch (error) {
    return report(error, args, terminal);
  }
}

async function dispatch(args: readonly string[], terminal: Terminal): Promise<ExitName> {
  let exit: ExitName = "ok";
  const program = describe(terminal, (ended) => {
    exit = ended;
  });
  await program.parseAsync(args, { from: "user" });
  return exit;
}

function describe(terminal: Terminal, end: (exit: ExitName) => void): Command {
  const program = new Command("guestos-boot")
    .description("Brings a GuestOS from a blank disk to a running node, and keeps it that way.")
    .version(`guestos-boot ${version}`, "--version", "print the version")
    .helpOption("--help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      // Said once, with the other errors: see report().
      writeErr: () => undefined,
    })
    .showSuggestionAfterError(true)
    .addHelpText("after", `\n${rootHelp}\n\nExit codes:\n${exitCodeLines().join("\n")}`);
  withOptions(program.command("run", { isDefault: true }), unitOption(), stageOption(), waitOption(), jsonOption())
    .description("make true what each unit asks for (what guestos-boot does without a command)")
    .addHelpText("after", `\n${runHelp}`)
    .action(async (options: RunFlags) => {
      const [{ run }, setup] = await Promise.all([import("./run-command.ts"), guestosSetup()]);
      end(await run(setup, { ...options, units: options.unit, json: options.json ?? false }, terminal));
    });
  return program;
}

interface RunFlags {
  readonly unit: readonly string[];
  readonly stage?: "early" | "late";
  readonly wait: number;
  readonly json?: true;
}

async function guestosSetup(): Promise<import("./run-command.ts").Setup> {
  const [{ guestos }, { guestosLayout }] = await Promise.all([import("../units/guestos.ts"), import("../config/layout.ts")]);
  return { chain: guestos, layout: guestosLayout };
}

function withOptions(command: Command, ...options: readonly Option[]): Command {
  for (const option of options) command.addOption(option);
  return command;
}

function unitOption(): Option {
  return new Option("--unit <name>", "only that unit, and what it requires if that does not hold; repeatable")
    .default([], "all")
    .argParser((name: string, before: readonly string[]) => [...before, name]);
}

function stageOption(): Option {
  return new Option("--stage <stage>", "only the units of that stage, and what they require").choices(["early", "late"]);
}

/** Without a number: long enough for any boot to end. */
const DEFAULT_WAIT = 600;

function waitOption(): Option {
  return new Option("--wait [seconds]", `wait for another guestos-boot to end; ${DEFAULT_WAIT} s unless told`)
    .default(0, "no waiting")
    .preset(String(DEFAULT_WAIT))
    .argParser((text: string) => {
      const seconds = Number(text);
      if (!(seconds > 0 && seconds <= 86_400)) throw new InvalidArgumentError("expected seconds, more than 0 and at most 86400.");
      return seconds;
    });
}

function jsonOption(): Option {
  return new Option("--json", "print one JSON document instead of text");
}

/** One clear line for each way to fail, and with --json a document too: programs read no prose. */
async function report(error: unknown, args: readonly string[], terminal: Terminal): Promise<number> {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return exitCodes.ok.code;
    return say(new ExitError("usage", usageProblem(error, args)), args, terminal);
  }
  if (error instanceof ExitError) return say(error, args, terminal);
  const { toProblem } = await import("../system/problem.ts");
  return say(new ExitError("defect", toProblem(error)), args, terminal);
}

async function say({ exit, problem }: ExitError, args: readonly string[], terminal: Terminal): Promise<number> {
  const { code } = exitCodes[exit];
  const { problemText } = await import("../boot/run-text.ts");
  const [first = "", ...others] = problemText(problem);
  terminal.complain([`guestos-boot: ${first}`, ...others.map((line) => `  ${line}`)].join("\n"));
  if (args.includes("--json")) printJson(terminal, { exitCode: code, problem });
  return code;
}

const commands = ["run", "plan", "list", "graph", "status", "verify", "config-image", "help"];

function usageProblem(error: CommanderError, args: readonly string[]): { readonly what: string; readonly todo: string } {
  const [first = ""] = args;
  // A word that is no command reaches the default command as an argument too many.
  if (error.code === "commander.excessArguments" && !first.startsWith("-") && !commands.includes(first)) {
    const meant = nearest(first, commands);
    return { what: `there is no command ${JSON.stringify(first)}`, todo: meant === undefined ? SEE_HELP : `did you mean ${meant}?` };
  }
  return { what: error.message.replace(/^error: /, "").replace(/\.?\n?$/, ""), todo: SEE_HELP };
}

const SEE_HELP = "see guestos-boot --help";

const rootHelp = `Without a command, the whole chain is run. A unit that has nothing to do touches nothing,
so a run can be repeated at any time. Only one runs at a time.

Examples:
  guestos-boot                        run the whole chain
  guestos-boot --unit network         after editing network.conf: apply it
  guestos-boot plan                   what a run would do, without doing it
  guestos-boot status                 how this boot went
  guestos-boot status --boot 1        how the boot before this one went
  guestos-boot graph --format dot | dot -Tsvg > chain.svg
  guestos-boot help run               everything about a command`;

const runHelp = `Each unit looks at the machine, does what is missing, and looks again. What does not depend
on each other runs at the same time. A unit that fails stops only what requires it.

Examples:
  guestos-boot run --stage early      what guestos-boot.service does
  guestos-boot run --stage late       what guestos-monitor.service does
  guestos-boot --unit network --unit hostname
  guestos-boot --wait 60 --json       for scripts`;
