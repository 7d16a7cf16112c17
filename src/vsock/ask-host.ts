import { foreignText } from "../base/foreign-words.ts";
import { jsonIn } from "../base/json.ts";
import { ProblemError } from "../base/problem.ts";
import { quoted } from "../base/quoted.ts";
import type { Host } from "../system/host.ts";
import { askOverVsock } from "../system/network/vsock.ts";
import { type HostCommand, type Payload, Reply } from "./protocol.ts";

export interface HostRequest {
  readonly command: HostCommand;
  /** The CID of this machine, which the request names. */
  readonly cid: number;
  readonly port: number;
}

/** VMADDR_CID_HOST (vsock(7)). */
const HOST_CID = 2;
/** Seconds. The host verifies an upgrade before it replies. */
const PATIENCE = 300;
/** Bytes. */
const LONGEST_REPLY = 64 * 1024;

/**
 * Asks the host of this machine.
 *
 * @returns what it answers
 * @throws ProblemError `host-refused` with its own words; `host-reply-unclear`; a CommandError when it cannot be reached
 */
export async function askHost(host: Host, { command, cid, port }: HostRequest): Promise<Payload> {
  const message = JSON.stringify({ sender_cid: cid, message: command });
  const text = await askOverVsock(host, { cid: HOST_CID, port, message, patience: PATIENCE, most: LONGEST_REPLY });
  const reply = Reply.safeParse(jsonIn(text)).data;
  if (reply === undefined) {
    throw new ProblemError({
      code: "host-reply-unclear",
      what: "the host's reply is not understood",
      found: text === "" ? "no reply" : quoted(text),
      expected: "a reply of protocol 1",
      todo: "compare the versions: guestos-boot host protocol",
    });
  }
  if ("Ok" in reply) return reply.Ok;
  throw new ProblemError({ code: "host-refused", what: "the host has not done it", found: foreignText(reply.Err) });
}
