import { oneLine, ProblemError, toProblem } from "../base/problem.ts";
import type { HostActions } from "./host-actions.ts";
import { type Dialect, type HostCommand, type Payload, PROTOCOL, readRequest, replyText, type Reply } from "./protocol.ts";

/** Who asks, and who may. Numbers are CIDs (vsock(7)). */
export interface Caller {
  /** The other end of the connection, by the kernel; `undefined` where that is no vsock. */
  readonly peer: number | undefined;
  readonly served: readonly number[];
}

export interface Answer {
  /** The reply, as it is sent. */
  readonly text: string;
  /** One line for the journal. */
  readonly log: string;
}

/** Characters of an error in a reply. A guest takes 64 KiB; the whole story is in the journal. */
const LONGEST_ERROR = 2000;

/** Carries out a request, and says how that went. Whatever the bytes are, there is a reply. */
export async function answer(bytes: Uint8Array, caller: Caller, actions: HostActions): Promise<Answer> {
  const { dialect, senderCid, command } = readRequest(bytes);
  const fault = callerFault(caller, senderCid);
  const allowed = fault === undefined ? command : { fault };
  const outcome = "fault" in allowed ? { reply: { Err: allowed.fault } } : await carriedOut(allowed.value, actions);
  return answerOf(dialect, outcome, caller, "fault" in command ? "no command" : nameOf(command.value));
}

/** The answer to what was not read to its end. */
export function refusalOf(why: string, caller: Caller): Answer {
  return answerOf("v1", { reply: { Err: why } }, caller, "no request");
}

interface Outcome {
  readonly reply: Reply;
  /** What the journal is told besides. */
  readonly detail?: string;
}

function answerOf(dialect: Dialect, { reply, detail }: Outcome, { peer }: Caller, name: string): Answer {
  const words = "Err" in reply ? reply.Err : "done";
  const log = `CID ${peer ?? "unknown"}: ${name}: ${detail === undefined ? words : `${words}: ${detail}`}`;
  // The last words of a service are several lines.
  return { text: replyText(dialect, reply), log: log.trimEnd().replaceAll(/\s*[\r\n]\s*/g, " / ") };
}

/** The kernel drops what claims another sender, and so does this: a request that was copied from one machine to another is no request. */
function callerFault({ peer, served }: Caller, senderCid: number | undefined): string | undefined {
  if (peer === undefined) return "the connection comes from no virtual machine";
  if (!served.includes(peer)) return `CID ${peer} is not served`;
  if (senderCid === undefined || senderCid === peer) return undefined;
  return `sender_cid is ${senderCid}, but the connection comes from CID ${peer}`;
}

function nameOf(command: HostCommand): string {
  return typeof command === "string" ? command : (Object.keys(command)[0] ?? "");
}

async function carriedOut(command: HostCommand, actions: HostActions): Promise<Outcome> {
  if (command === "start-upgrade-guest-vm") return { reply: { Err: "this host has no upgrade VM" } };
  try {
    return { reply: { Ok: await payload(command, actions) } };
  } catch (error) {
    // A process that is told to end has no error.
    if (error instanceof Error && error.name === "AbortError") throw error;
    if (error instanceof ProblemError) return { reply: { Err: oneLine(error.problem).slice(0, LONGEST_ERROR) } };
    // Of this machine's files, or a defect: nothing that a guest can make use of.
    return { reply: { Err: "the host could not do it" }, detail: oneLine(toProblem(error)) };
  }
}

async function payload(command: Exclude<HostCommand, "start-upgrade-guest-vm">, actions: HostActions): Promise<Payload> {
  switch (command) {
    case "GetVsockProtocol":
      return { HostOSVsockVersion: PROTOCOL };
    case "GetHostOSVersion":
      return { HostOSVersion: await actions.version() };
    case "attach-hsm":
    case "detach-hsm":
      await actions.hsm(command === "attach-hsm" ? "attach" : "detach");
      break;
    default:
      await ("upgrade" in command ? actions.upgrade(command.upgrade) : actions.show(command.notify));
  }
  return "NoPayload";
}
