import type { Command, Option } from "commander";

/** What is called when the word after a command is none of its commands. Commander keeps it to itself (isDefault). */
const defaults = new WeakMap<Command, string>();

export interface CommandExtras {
  /** What stands below the options in its --help. */
  readonly help?: string;
  readonly options?: readonly Option[];
  /** Called when nothing else of its parent is. */
  readonly isDefault?: boolean;
}

/** Adds a command with what every one of them has. */
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
