import type { Command } from "commander";
import { recoveryHelp, recoverySetHelp } from "./help.ts";
import { addCommand } from "./add-command.ts";
import { jsonOption, waitOption } from "./options.ts";
import type { CommandContext } from "./command-context.ts";

interface Flags {
  readonly json: boolean;
}

/** Adds `recovery-passphrase` and its subcommands. */
export function addRecoveryCommands(program: Command, { terminal, setup, end }: CommandContext): void {
  const recovery = addCommand(program, "recovery-passphrase", "a passphrase that opens the store when the node's key file is lost", {
    help: recoveryHelp,
  });
  const command = (name: string, description: string): Command =>
    addCommand(recovery, name, description, { options: [jsonOption()], isDefault: name === "status" });

  command("status", "show whether there is one; the default").action(async ({ json }: Flags) => {
    const { recoveryStatus } = await import("./commands/recovery-command.ts");
    end(await recoveryStatus(await setup(), { json }, terminal));
  });
  command("set", "set it, or replace the former one")
    .addOption(waitOption())
    .addHelpText("after", `\n${recoverySetHelp}`)
    .action(async (flags: Flags & { readonly wait: number }) => {
      const { setRecoveryPassphrase } = await import("./commands/recovery-command.ts");
      end(await setRecoveryPassphrase(await setup(), flags, terminal));
    });
  command("remove", "remove it: then only the key file opens the store")
    .addOption(waitOption())
    .action(async (flags: Flags & { readonly wait: number }) => {
      const { removeRecoveryPassphrase } = await import("./commands/recovery-command.ts");
      end(await removeRecoveryPassphrase(await setup(), flags, terminal));
    });
}
