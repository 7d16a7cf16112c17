import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import type { ImageFlags, InstallFlags } from "./commands/upgrade-install-command.ts";
import { upgradeInstallHelp, upgradeVerifyHelp } from "./help.ts";
import { addCommand } from "./add-command.ts";
import { jsonOption } from "./options.ts";
import type { CommandContext } from "./command-context.ts";

/** Adds the subcommands of `upgrade` that read an image. */
export function addReceiveCommands(upgrade: Command, { terminal, setup, end }: CommandContext): void {
  const command = (name: string, description: string, help: string): Command =>
    addCommand(upgrade, name, description, { help })
      .addArgument(new Argument("<image>", "a file, an http(s) address, or - for standard input"))
      .addOption(new Option("--sha256 <hash>", "the hash of the whole file, as in the registry"))
      .addOption(new Option("--signature <file>", "the signature of the image"))
      .addOption(new Option("--insecure", "accept an image without verifying its origin").default(false, "no"))
      .addOption(new Option("--limit-rate <bytes>", "at most that many bytes per second, as in 500K or 10M").argParser(rate))
      .addOption(new Option("--header-file <file>", "lines `Name: value` for the server, such as an Authorization"))
      .addOption(jsonOption());

  command("install", "write an image to the slot that does not run", upgradeInstallHelp)
    .addOption(new Option("--allow-downgrade", "allow a version that is not newer than the running one").default(false, "no"))
    .action(async (image: string, flags: Omit<InstallFlags, "image">) => {
      const { upgradeInstall } = await import("./commands/upgrade-install-command.ts");
      end(await upgradeInstall(await setup(), { ...flags, image }, terminal));
    });
  command("verify", "check an image as an install would, and write nothing", upgradeVerifyHelp).action(
    async (image: string, flags: Omit<ImageFlags, "image">) => {
      const { upgradeVerify } = await import("./commands/upgrade-install-command.ts");
      end(await upgradeVerify(await setup(), { ...flags, image }, terminal));
    },
  );
}

/** Bytes a second, with K, M or G for 1024, 1024² or 1024³ of them, as in curl(1). */
function rate(text: string): number {
  const [, digits = "", unit = ""] = /^(\d{1,9})([KMG]?)$/i.exec(text) ?? [];
  const value = Number(digits) * 1024 ** ["", "K", "M", "G"].indexOf(unit.toUpperCase());
  if (digits !== "" && value >= 1) return value;
  throw new InvalidArgumentError("expected a number of bytes, optionally with K, M or G.");
}
