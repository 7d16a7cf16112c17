import type { Command, Option } from "commander";

/**
 * The default subcommand of each command, called when the next word is not one of its subcommands. Commander does not expose it
 * (isDefault).
 */
const defaults = new WeakMap<Command, string>();

export interface CommandExtras {
  /** The text below the options in its --help. */
  readonly help?: string;
  readonly options?: readonly Option[];
  /** Called when no other subcommand of its parent is named. */
  readonly isDefault?: boolean;
}

/** Adds a command with the parts that all commands share. */
export function addCommand(parent: Command, name: string, description: string, extras: CommandExtras = {}): Command {
  const { help = "", options = [], isDefault = false } = extras;
  const made = parent.command(name, { isDefault }).description(description).helpOption("--help", "show this help");
  for (const option of options) made.addOption(option);
  if (isDefault) defaults.set(parent, name);
  return help === "" ? made : made.addHelpText("after", `\n${help}`);
}

export function defaultCommandOf(parent: Command): string | undefined {
  return defaults.get(parent);
}
