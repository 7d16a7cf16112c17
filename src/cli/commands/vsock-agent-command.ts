import { systemHost } from "../../system/host.ts";
import { type Message, readMessage } from "../../system/files/message.ts";
import { NonBlockingWriter } from "../../system/files/non-blocking-writer.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { requireRoot } from "../../run/guards.ts";
import type { Setup } from "../../run/setup.ts";
import type { Terminal } from "../../run/terminal.ts";
import { answer, refusalOf } from "../../vsock/answer.ts";
import { hostActions } from "../../vsock/host-actions.ts";
import { showNotice } from "../../vsock/notice.ts";
import { isWhole, LONGEST_REQUEST } from "../../vsock/protocol.ts";
import { untilStopped } from "../stop-on-signals.ts";

const STANDARD_INPUT = 0;
const STANDARD_OUTPUT = 1;
/** Milliseconds for a request to arrive, and for a reply to leave. */
const PATIENCE = 5_000;

export interface AgentFlags {
  /** The CIDs of the machines that are served. */
  readonly served: readonly number[];
}

/**
 * Serves the one connection that is standard input and output, as systemd hands it over (systemd.socket(5), Accept=yes). A request that is
 * refused is no failure of the service: a guest must not be able to make this machine look broken.
 */
export async function vsockAgent({ layout }: Setup, { served }: AgentFlags, terminal: Terminal): Promise<ExitName> {
  requireRoot("it does for a virtual machine what root may do here");
  return untilStopped(async ({ signal }) => {
    const limits = { descriptor: STANDARD_INPUT, most: LONGEST_REQUEST, patience: PATIENCE };
    const { bytes, ending } = await readMessage({ ...limits, signal, isWhole });
    const caller = { peer: peerOf(process.env["REMOTE_ADDR"]), served };
    const refusal = REFUSALS[ending];
    const { text, log } =
      refusal === undefined ? await answer(bytes, caller, hostActions(systemHost({ signal }), layout)) : refusalOf(refusal, caller);
    const writer = new NonBlockingWriter(STANDARD_OUTPUT, () => undefined);
    writer.write(Buffer.from(text));
    await writer.flush(PATIENCE);
    terminal.complain(log);
    return "ok";
  });
}

/** What is refused without a closer inspection. */
const REFUSALS: Readonly<Partial<Record<Message["ending"], string>>> = {
  "too long": `the request is longer than ${LONGEST_REQUEST} bytes`,
  late: `the request did not arrive within ${PATIENCE / 1000} s`,
};

/** @param address as systemd writes it: `vsock:3` (its src/basic/socket-util.c, sockaddr_pretty) */
function peerOf(address: string | undefined): number | undefined {
  const [, cid] = /^vsock:(\d{1,10})$/.exec(address ?? "") ?? [];
  return cid === undefined ? undefined : Number(cid);
}

/** Shows a notice of the guest on the consoles of this machine: what the agent has handed over. */
export async function vsockNotice({ layout }: Setup): Promise<ExitName> {
  requireRoot("it writes on the consoles");
  return untilStopped(async ({ signal }) => {
    await showNotice(systemHost({ signal }), layout);
    return "ok";
  });
}
