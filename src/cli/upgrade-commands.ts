import { type Command, Option } from "commander";
import { upgradeCommitHelp, upgradeConfirmHelp, upgradeForgetHelp, upgradeHelp, upgradeRollbackHelp, upgradeStatusHelp } from "./help.ts";
import { addCommand } from "./add-command.ts";
import { jsonOption, withinOption } from "./options.ts";
import type { CommandContext } from "./command-context.ts";
import { addReceiveCommands } from "./upgrade-receive-commands.ts";

interface Flags {
  readonly json: boolean;
}

/** Adds `upgrade` and its subcommands. */
export function addUpgradeCommands(program: Command, context: CommandContext): void {
  const { terminal, setup, end } = context;
  const upgrade = addCommand(program, "upgrade", "the two systems of this node: install, try, keep, go back", {
    help: upgradeHelp,
  });
  const command = (name: string, description: string, help: string): Command =>
    addCommand(upgrade, name, description, { help, options: [jsonOption()], isDefault: name === "status" });
  const rebootOption = (): Option => new Option("--no-reboot", "do not restart the machine");

  command("status", "show both slots, and what is booted next; the default", upgradeStatusHelp).action(async (flags: Flags) => {
    const { upgradeStatus } = await import("./commands/upgrade-status-command.ts");
    end(await upgradeStatus(await setup(), flags, terminal));
  });
  for (const [which, description] of [
    ["current", "print the slot that runs: A or B"],
    ["target", "print the slot that an install goes to: the one that does not run"],
    ["next", "print the slot that the next boot starts"],
  ] as const) {
    const own =
      which === "next"
        ? new Option("--grubenv <file>", "what that block says, in place of the boot loader's own")
        : new Option("--partition", "the device of its root partition").default(false, "its letter");
    command(which, description, "")
      .addOption(own)
      .action(async (flags: Flags & { readonly partition?: boolean; readonly grubenv?: string }) => {
        const { printSlot } = await import("./commands/upgrade-slot-command.ts");
        end(await printSlot(await setup(), { ...flags, which }, terminal));
      });
  }
  for (const [verb, description, help] of [
    ["commit", "try the installed system: the next boot starts it, once", upgradeCommitHelp],
    ["rollback", "go back to the other system", upgradeRollbackHelp],
  ] as const) {
    command(verb, description, help)
      .addOption(rebootOption())
      .action(async (flags: Flags & { readonly reboot: boolean }) => {
        const { decideCommand } = await import("./commands/upgrade-decide-command.ts");
        end(await decideCommand(await setup(), { ...flags, verb }, terminal));
      });
  }
  command("confirm", "keep the running system, if it is healthy", upgradeConfirmHelp)
    .addOption(withinOption())
    .action(async (flags: Flags & { readonly within?: number }) => {
      const { confirmCommand } = await import("./commands/upgrade-confirm-command.ts");
      end(await confirmCommand(await setup(), flags, terminal));
    });
  addReceiveCommands(upgrade, context);
  command("forget", "allow an image that failed to be installed again", upgradeForgetHelp)
    .argument("<sha256>", "as guestos-boot upgrade status shows it")
    .action(async (sha256: string, flags: Flags) => {
      const { forgetCommand } = await import("./commands/upgrade-forget-command.ts");
      end(await forgetCommand(await setup(), { ...flags, sha256 }, terminal));
    });
}
