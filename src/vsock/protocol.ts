import { quoted } from "../base/quoted.ts";
import * as z from "../base/schema.ts";
import { scanJson } from "../config/text/json-scan.ts";

/**
 * What a guest asks of its host over vsock (docs/vsock.md): one connection, one request, one reply, each a JSON text without a frame. Both
 * sides are in this file. Version 1 is today's (dfinity/ic, rs/ic_os/vsock); version 0 is that of the first guests, whose `sender_cid` and
 * `message` are strings, and is answered alone.
 */
export const PROTOCOL = { major: 1, minor: 0, patch: 0 } as const;

/** Bytes of a request. The hosts before this one read no more. */
export const LONGEST_REQUEST = 4096;

/** The request, its message, and the data of a command: no request has more objects within each other. */
const DEEPEST = 3;
const LONGEST_NOTICE = 1024;
const LONGEST_ADDRESS = 2048;
const MOST_REPETITIONS = 10;
/** 32 bits, as the kernel has it (vsock(7)). */
const MOST_CID = 0xffff_ffff;

/**
 * An address for an environment file and a tool's argument: neither quotes nor anything that a reader of such files expands. No user and no
 * password either: there is no `@` in front of the path.
 */
const ADDRESS = /^https:\/\/[\w.:[\]-]+(?:[/?][\w.~!&()*+,;=:@%/?-]*)?$/;

const Upgrade = z.object({
  url: z
    .string()
    .check(
      z.maxLength(LONGEST_ADDRESS),
      z.regex(ADDRESS, "expected an https address"),
      z.refine(URL.canParse, "expected an https address"),
    ),
  "target-hash": z.pipe(
    z.string().check(z.regex(/^[0-9a-f]{64}$/i, "expected the SHA-256 of the image, 64 hexadecimal digits")),
    z.transform((hash) => hash.toLowerCase()),
  ),
});
export type Upgrade = z.infer<typeof Upgrade>;

export const Notice = z.object({
  /** How often it is shown. Larger numbers count as the largest, as on the hosts before this one. */
  count: z.pipe(
    z.int().check(z.minimum(0)),
    z.transform((count) => Math.min(count, MOST_REPETITIONS)),
  ),
  message: z.string().check(z.maxLength(LONGEST_NOTICE)),
});
export type Notice = z.infer<typeof Notice>;

const WORDS = ["GetVsockProtocol", "GetHostOSVersion", "attach-hsm", "detach-hsm", "start-upgrade-guest-vm"] as const;

/** As it is in a request of version 1. */
export type HostCommand = (typeof WORDS)[number] | { readonly upgrade: Upgrade } | { readonly notify: Notice };

export type Reading<T> = { readonly value: T } | { readonly fault: string };

/** The command in `message` of a request of version 1. */
export function readCommand(message: unknown): Reading<HostCommand> {
  const word = WORDS.find((known) => known === message);
  if (word !== undefined) return { value: word };
  const isObject = typeof message === "object" && message !== null && !Array.isArray(message);
  const commands: readonly (readonly [string, unknown])[] = isObject
    ? Object.entries(message)
    : [[typeof message === "string" ? message : JSON.stringify(message), undefined]];
  const [[name, data] = ["", undefined], ...more] = commands;
  if (more.length > 0) return { fault: "a message has one command" };
  switch (name) {
    case "upgrade":
      return parsed(z.object({ upgrade: Upgrade }), { [name]: data });
    case "notify":
      return parsed(z.object({ notify: Notice }), { [name]: data });
    case "set-node-id":
      return { fault: "set-node-id is no longer a command: the host reads no node id" };
    default:
      return { fault: `unknown command ${quoted(data === undefined ? name : `${name} {…}`)}` };
  }
}

function parsed<T extends HostCommand>(schema: { safeParse(data: unknown): ParseResult<T> }, message: unknown): Reading<T> {
  const { data, error } = schema.safeParse(message);
  if (data !== undefined) return { value: data };
  return { fault: (error?.issues ?? []).map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ") };
}

interface ParseResult<T> {
  readonly data?: T | undefined;
  readonly error?: { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] } | undefined;
}

/** How a request is worded, and so its reply. */
export type Dialect = "v0" | "v1";

export interface Request {
  readonly dialect: Dialect;
  /** As the sender names itself; the kernel's word is what counts. */
  readonly senderCid: number | undefined;
  readonly command: Reading<HostCommand>;
}

const cid = z.int().check(z.minimum(0), z.maximum(MOST_CID));
const V1 = z.object({ sender_cid: cid, message: z.unknown() });
const V0 = z.object({
  sender_cid: z.pipe(
    z.string().check(z.regex(/^\d{1,10}$/)),
    z.transform((digits) => Number(digits)),
  ),
  message: z.string(),
});

/** What the bytes of a request say. Of what is no request, it says why, in the dialect of today. */
export function readRequest(bytes: Uint8Array): Request {
  const document = wholeObject(bytes);
  if (document === undefined) return refused("the request is no JSON object in UTF-8");
  const { fault } = scanJson(document.text, DEEPEST);
  if (fault !== undefined) return refused(`the request is refused at character ${fault.offset + 1}: expected ${fault.expected}`);
  const old = V0.safeParse(document.value).data;
  if (old !== undefined) return { dialect: "v0", senderCid: old.sender_cid, command: readOldCommand(old.message) };
  const today = V1.safeParse(document.value).data;
  if (today !== undefined) return { dialect: "v1", senderCid: today.sender_cid, command: readCommand(today.message) };
  return refused('expected {"sender_cid": NUMBER, "message": COMMAND}');
}

function refused(fault: string): Request {
  return { dialect: "v1", senderCid: undefined, command: { fault } };
}

/** `upgrade[URL HASH]`, `notify[COUNT, TEXT]`, `set-node-id[ID]`, or a word. */
function readOldCommand(message: string): Reading<HostCommand> {
  if (message === "attach-hsm" || message === "detach-hsm") return { value: message };
  const [, name = message, inside = ""] = /^([a-z-]+)\[(.*)\]$/s.exec(message) ?? [];
  switch (name) {
    case "upgrade": {
      const [, url, hash] = /^(\S+) +(\S+)$/.exec(inside) ?? [];
      return readCommand({ upgrade: { url, "target-hash": hash } });
    }
    case "notify": {
      const [, count, text] = /^(\d{1,9}), ?(.*)$/s.exec(inside) ?? [];
      return readCommand({ notify: { count: Number(count), message: text } });
    }
    case "set-node-id":
      return readCommand({ [name]: inside });
    default:
      return { fault: `unknown command ${quoted(message)}` };
  }
}

/** Whether the bytes are a request from its first to its last byte: a sender need not close its side. */
export function isWhole(bytes: Uint8Array): boolean {
  return wholeObject(bytes) !== undefined;
}

function wholeObject(bytes: Uint8Array): { readonly text: string; readonly value: object } | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { text, value } : undefined;
  } catch {
    return undefined;
  }
}

/** What a reply brings. */
export const Payload = z.union([
  z.literal("NoPayload"),
  z.object({ HostOSVersion: z.string() }),
  z.object({ HostOSVsockVersion: z.object({ major: z.number(), minor: z.number(), patch: z.number() }) }),
]);
export type Payload = z.infer<typeof Payload>;

/** A reply of version 1. */
export const Reply = z.union([z.object({ Ok: Payload }), z.object({ Err: z.string() })]);
export type Reply = z.infer<typeof Reply>;

/** The reply as that dialect words it. */
export function replyText(dialect: Dialect, reply: Reply): string {
  if (dialect === "v1") return JSON.stringify(reply);
  return JSON.stringify("Err" in reply ? { message: reply.Err, status: "error" } : { message: "accepted request", status: "ok" });
}
