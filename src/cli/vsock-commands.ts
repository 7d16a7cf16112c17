import { type Command, Option } from "commander";
import { hostHelp, vsockAgentHelp } from "./help.ts";
import { addCommand } from "./add-command.ts";
import { numberIn, jsonOption } from "./options.ts";
import type { CommandContext } from "./command-context.ts";

/** The first CID that a guest can have (vsock(7)): the one guest of a host has it. */
const GUEST_CID = 3;
/** VMADDR_CID_LOCAL: this machine itself, for a test with vsock_loopback. */
const LOCAL_CID = 1;
/** VMADDR_CID_ANY is one more. */
const LAST_CID = 0xffff_fffe;
/** Where guests have asked since 2022. */
const PORT = 19_090;

interface HostFlags {
  readonly port: number;
  readonly cid: number;
  readonly json: boolean;
}

/** Adds `host` and its subcommands: what a guest asks for. */
export function addHostCommands(program: Command, { terminal, end }: CommandContext): void {
  const host = addCommand(program, "host", "ask the machine that runs this one", { help: hostHelp });
  const command = (name: string, description: string): Command =>
    addCommand(host, name, description, {
      options: [
        new Option("--port <number>", "of the host's vsock").default(PORT).argParser((text: string) => numberIn(text, 1, LAST_CID)),
        new Option("--cid <number>", "the CID that the host gave this machine")
          .default(GUEST_CID)
          .argParser((text: string) => numberIn(text, GUEST_CID, LAST_CID)),
        jsonOption(),
      ],
      isDefault: name === "version",
    });
  const ask = async (message: unknown, flags: HostFlags): Promise<void> => {
    const { hostCommand } = await import("./commands/host-command.ts");
    end(await hostCommand({ ...flags, message }, terminal));
  };

  for (const [name, message, description] of [
    ["version", "GetHostOSVersion", "print the version of the host's system; the default"],
    ["protocol", "GetVsockProtocol", "print the version of the protocol that the host speaks"],
    ["attach-hsm", "attach-hsm", "have the host's HSM given to this machine"],
    ["detach-hsm", "detach-hsm", "have it taken back"],
    ["start-upgrade-vm", "start-upgrade-guest-vm", "have the host start the VM of an upgrade beside this one"],
  ] as const)
    command(name, description).action(async (flags: HostFlags) => ask(message, flags));
  command("notify", "show a text on the host's consoles")
    .argument("<text>", "at most 1024 characters")
    .addOption(
      new Option("--count <n>", "how often, two seconds apart; at most 10 times")
        .default(1)
        .argParser((text: string) => numberIn(text, 0, LAST_CID)),
    )
    .action(async (message: string, { count, ...flags }: HostFlags & { readonly count: number }) =>
      ask({ notify: { count, message } }, flags),
    );
  command("upgrade", "have the host install another version of its own system, and restart")
    .argument("<url>", "https")
    .requiredOption("--hash <sha256>", "of the whole file, as in the registry")
    .action(async (url: string, { hash, ...flags }: HostFlags & { readonly hash: string }) =>
      ask({ upgrade: { url, "target-hash": hash } }, flags),
    );
}

/** Adds `vsock-agent`, which the host's services run. */
export function addAgentCommands(program: Command, { terminal, setup, end }: CommandContext): void {
  addCommand(program, "vsock-agent", "answer one request of a guest; guestos-vsock.socket runs this", {
    help: vsockAgentHelp,
    options: [
      new Option("--cid <number>", "serve that guest; repeatable")
        .default([], String(GUEST_CID))
        .argParser((text: string, before: readonly number[]) => [...before, numberIn(text, LOCAL_CID, LAST_CID)]),
      new Option("--notice", "show the notice that was handed over; guestos-vsock-notice.service runs this").default(false, "no"),
    ],
  }).action(async ({ cid, notice }: { readonly cid: readonly number[]; readonly notice: boolean }) => {
    const { vsockAgent, vsockNotice } = await import("./commands/vsock-agent-command.ts");
    if (notice) return end(await vsockNotice(await setup()));
    end(await vsockAgent(await setup(), { served: cid.length === 0 ? [GUEST_CID] : cid }, terminal));
  });
}
