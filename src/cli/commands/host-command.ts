import { foreignText } from "../../base/foreign-words.ts";
import { systemHost } from "../../system/host.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { ExitError } from "../../run/exit-error.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";
import { askHost } from "../../vsock/ask-host.ts";
import { type Payload, readCommand } from "../../vsock/protocol.ts";
import { untilStopped } from "../stop-on-signals.ts";

export interface HostQuestion {
  /** The command as a request has it. */
  readonly message: unknown;
  readonly port: number;
  /** Of this machine. */
  readonly cid: number;
  readonly json: boolean;
}

/** Asks the host of this machine, and prints what it answers. @throws ExitError for a command that it would refuse */
export async function hostCommand({ message, port, cid, json }: HostQuestion, terminal: Terminal): Promise<ExitName> {
  const command = readCommand(message);
  if ("fault" in command)
    throw new ExitError("usage", { code: "host-command-wrong", what: "the host would refuse this", found: command.fault });
  return untilStopped(async ({ signal }) => {
    const payload = await askHost(systemHost({ signal }), { command: command.value, cid, port });
    const text = payloadText(payload);
    if (json) printJson(terminal, { reply: payload });
    else if (text !== undefined) terminal.print(text);
    return "ok";
  });
}

function payloadText(payload: Payload): string | undefined {
  if (payload === "NoPayload") return undefined;
  if ("HostOSVersion" in payload) return foreignText(payload.HostOSVersion);
  const { major, minor, patch } = payload.HostOSVsockVersion;
  return [major, minor, patch].join(".");
}
