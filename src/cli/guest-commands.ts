import { Argument, type Command, Option } from "commander";
import type { Slot } from "../config/layout/layout.ts";
import { addCommand } from "./add-command.ts";
import type { CommandContext } from "./command-context.ts";
import type { HypervisorName } from "./commands/guest-hypervisor.ts";
import { guestConsoleHelp, guestHelp, guestRunHelp, guestSlotHelp, guestStatusHelp } from "./help.ts";
import { jsonOption } from "./options.ts";

interface Flags {
  readonly json: boolean;
  readonly hypervisor: HypervisorName;
}

/** Adds `guest` and its subcommands. */
export function addGuestCommands(program: Command, { terminal, setup, end }: CommandContext): void {
  const guest = addCommand(program, "guest", "the guest's virtual machine: how it is, start, stop, what it writes", { help: guestHelp });
  const command = (name: string, description: string, help: string, ...options: readonly Option[]): Command =>
    addCommand(guest, name, description, { help, options, isDefault: name === "status" });
  const hypervisor = (): Option =>
    new Option("--hypervisor <name>", "what runs the machine: QEMU by itself where an image has no libvirt")
      .choices(["libvirt", "qemu"] satisfies readonly HypervisorName[])
      .default("libvirt");

  command("status", "show how the guest is; the default", guestStatusHelp, hypervisor(), jsonOption()).action(async (flags: Flags) => {
    const { guestStatus } = await import("./commands/guest-status-command.ts");
    end(await guestStatus(await setup(), flags, terminal));
  });
  for (const [kind, description] of [
    ["start", "start the service that keeps the guest running"],
    ["stop", "shut the guest down, and keep it so until it is started, or the host is"],
    ["restart", "shut the guest down, and start it again from the slot that it has chosen"],
  ] as const) {
    command(kind, description, "").action(async () => {
      const { guestJob } = await import("./commands/guest-job-command.ts");
      end(await guestJob(await setup(), kind, terminal));
    });
  }
  command(
    "console",
    "show what the guest writes to its serial port",
    guestConsoleHelp,
    new Option("--follow", "go on until it is stopped").default(false, "what is there"),
  ).action(async ({ follow }: { readonly follow: boolean }) => {
    const { guestConsole } = await import("./commands/guest-console-command.ts");
    end(await guestConsole(await setup(), { follow }, terminal));
  });
  command("slot", "show the slot that the next start of the guest boots, or have it try one", guestSlotHelp, hypervisor(), jsonOption())
    .addArgument(new Argument("[slot]", "the slot to try").choices(["A", "B"] satisfies readonly Slot[]))
    .action(async (slot: Slot | undefined, flags: Flags) => {
      if (slot === undefined) {
        const { guestSlot } = await import("./commands/guest-slot-command.ts");
        end(await guestSlot(await setup(), flags, terminal));
      } else {
        const { guestTrySlot } = await import("./commands/guest-try-slot-command.ts");
        end(await guestTrySlot(await setup(), slot, flags, terminal));
      }
    });
  command("run", "keep the guest running; guestos.service runs this", guestRunHelp, hypervisor()).action(async (flags: Flags) => {
    const { guestRun } = await import("./commands/guest-run-command.ts");
    end(await guestRun(await setup(), flags, terminal));
  });
}
