import { type Command, CommanderError, Option } from "commander";
import { foreignText } from "../base/foreign-words.ts";
import { managebootHelp, provisionSshKeysHelp, regenerateNetworkConfigHelp } from "./help.ts";
import type { RegenerateRequest } from "./commands/regenerate-network-config-command.ts";
import { addCommand } from "./add-command.ts";
import { managebootVerbs } from "./manageboot.ts";
import { jsonOption } from "./options.ts";
import type { CommandContext } from "./command-context.ts";

/** Adds the commands that today's orchestrator calls, by the names of older tools (src/cli/manageboot.ts). */
export function addOrchestratorCommands(program: Command, { terminal, setup, end }: CommandContext): void {
  // Known verbs have been translated by now.
  addCommand(program, "manageboot", `the verbs of older systems: ${Object.keys(managebootVerbs).join(", ")}`, {
    help: managebootHelp,
    options: [jsonOption()],
  })
    .argument("<verb>")
    .addOption(new Option("-f <file>", "for next: another block than the boot loader's").hideHelp())
    .allowExcessArguments()
    .action((verb: string, { f }: { readonly f?: string }, { args }: Command) => {
      const named = args.find((word) => word !== "guestos") ?? verb;
      throw new CommanderError(2, "guestos-boot.unknownVerb", managebootFault(named, f !== undefined));
    });

  addCommand(program, "provision-ssh-keys", "give an account the keys of standard input, in place of those that it has", {
    help: provisionSshKeysHelp,
  })
    .argument("<account>", "admin, backup, readonly or recovery")
    .action(async (account: string) => {
      const { provisionSshKeys } = await import("./commands/provision-ssh-keys-command.ts");
      end(await provisionSshKeys(await setup(), account, terminal));
    });

  addCommand(program, "regenerate-network-config", "configure the network again, with another IPv4 address until the next boot", {
    help: regenerateNetworkConfigHelp,
    options: [
      new Option("--ipv4-address <address>", "as in 192.0.2.17"),
      new Option("--ipv4-prefix-length <bits>", "1 to 32"),
      new Option("--ipv4-gateway <address>", "another machine in the same network"),
    ],
  }).action(async (flags: RegenerateRequest) => {
    const { regenerateNetworkConfig } = await import("./commands/regenerate-network-config-command.ts");
    end(await regenerateNetworkConfig(await setup(), flags, terminal));
  });
}

function managebootFault(verb: string, hasFile: boolean): string {
  if (verb === "hostos") return "this is a GuestOS: manageboot has no hostos here";
  if (hasFile && Object.hasOwn(managebootVerbs, verb))
    return `manageboot -f is for next alone: ${verb} works with the boot loader's own block`;
  return `there is no verb ${JSON.stringify(foreignText(verb))} of manageboot`;
}
