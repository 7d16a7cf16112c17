import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readMessage } from "../../../src/system/files/message.ts";
import { answer, refusalOf } from "../../../src/vsock/answer.ts";
import { isWhole, LONGEST_REQUEST } from "../../../src/vsock/protocol.ts";
import { recordingActions } from "../../support/recording-actions.ts";
import { canary, ran, shown } from "../../support/canaries.ts";

/** 200 requests over real sockets, as the agent reads and answers them: well formed, almost so, and not at all. */

const path = join(mkdtempSync(join(tmpdir(), "guestos-boot-vsock-")), "socket");
const HASH = "0f".repeat(32);
const guest = { peer: 3, served: [3] };
/** Milliseconds for a request: less than the agent's own, because many of these never end. */
const PATIENCE = 150;

let server: Server;
const accepted: ((socket: Socket) => void)[] = [];
beforeAll(async () => {
  // Not read by Node: the descriptor is the agent's, as one that systemd hands over.
  server = createServer({ pauseOnConnect: true }, (socket) => accepted.shift()?.(socket));
  server.listen(path);
  await once(server, "listening");
});
afterAll(() => server.close());

interface Sent {
  readonly pieces: readonly Uint8Array[];
  /** Whether the sender closes its side. */
  readonly closes: boolean;
}

interface Served {
  readonly reply: unknown;
  readonly ending: string;
  readonly done: readonly unknown[];
  readonly seconds: number;
}

/** Node has no name for it. */
function descriptorOf(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, "_handle");
  const fd: unknown = typeof handle === "object" && handle !== null ? Reflect.get(handle, "fd") : undefined;
  if (typeof fd !== "number") throw new TypeError("this socket has no descriptor");
  return fd;
}

async function serve({ pieces, closes }: Sent, patience = 10_000): Promise<Served> {
  const arrived = new Promise<Socket>((resolve) => accepted.push(resolve));
  const sender = connect({ path, allowHalfOpen: true });
  sender.on("error", () => undefined);
  const socket = await arrived;
  const began = Date.now();
  const sending = (async () => {
    for (const piece of pieces) {
      sender.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (closes) sender.end();
  })();
  const actions = recordingActions();
  const limits = { descriptor: descriptorOf(socket), most: LONGEST_REQUEST, patience, signal: AbortSignal.timeout(30_000) };
  const { bytes, ending } = await readMessage({ ...limits, isWhole });
  const whole = ending === "whole" || ending === "closed";
  ran();
  const answered = whole ? await answer(bytes, guest, actions) : refusalOf(ending, guest);
  shown("the reply, or what the journal is told", JSON.stringify(answered));
  const seconds = (Date.now() - began) / 1000;
  await sending;
  sender.destroy();
  socket.destroy();
  return { reply: JSON.parse(answered.text), ending, done: actions.done, seconds };
}

const address = fc.constantFrom(
  "https://example.org/i.tar",
  `https://[2001:db8::1]:8443/a/b.tar.zst?${canary("the token in an address", "token=8c1f-4d20-aa07")}`,
);
const upgrade = address.map((url) => ({ upgrade: { url, "target-hash": HASH } }));
const notify = fc
  .record({ count: fc.nat(12), message: fc.string({ unit: "binary", maxLength: 300 }) })
  .map((notice) => ({ notify: notice }));
const word = fc.constantFrom("attach-hsm", "detach-hsm", "start-upgrade-guest-vm", "GetHostOSVersion", "GetVsockProtocol");
const wellFormed = fc.oneof(
  fc.oneof(word, upgrade, notify).map((message) => ({ sender_cid: 3, message })),
  fc
    .constantFrom("attach-hsm", `upgrade[https://example.org/i ${HASH}]`, "notify[3, hello]")
    .map((message) => ({ sender_cid: "3", message })),
);
/** Of another machine, as it says itself. */
const foreign = fc.tuple(wellFormed, fc.constantFrom(0, 1, 2, 4, 4_294_967_295)).map(([{ sender_cid, message }, cid]) => ({
  sender_cid: typeof sender_cid === "string" ? String(cid) : cid,
  message,
}));
/** A byte or more of it changed, lost, or twice there. */
const spoilt = fc
  .tuple(wellFormed, fc.array(fc.tuple(fc.nat(400), fc.nat(255), fc.nat(2)), { minLength: 1, maxLength: 4 }))
  .map(([request, changes]) => {
    const bytes = [...Buffer.from(JSON.stringify(request))];
    for (const [at, byte, kind] of changes) bytes.splice(at % bytes.length, kind === 0 ? 0 : 1, ...(kind === 2 ? [] : [byte]));
    return Buffer.from(bytes);
  });
const anyJson = fc.oneof(
  fc.jsonValue(),
  fc.jsonValue().map((message) => ({ sender_cid: 3, message })),
);
const content = fc.oneof(
  fc.oneof(wellFormed, foreign).map((request) => Buffer.from(JSON.stringify(request))),
  spoilt,
  anyJson.map((value) => Buffer.from(JSON.stringify(value))),
  fc.uint8Array({ maxLength: 6000, size: "max" }).map((bytes) => Buffer.from(bytes)),
);
const sent = fc.record({
  pieces: fc.tuple(content, fc.nat(4)).map(([bytes, cuts]) => {
    const length = Math.ceil(bytes.length / (cuts + 1)) || 1;
    return Array.from({ length: Math.ceil(bytes.length / length) }, (_, index) => bytes.subarray(index * length, (index + 1) * length));
  }),
  closes: fc.boolean(),
});

const READ = ["GetHostOSVersion", "GetVsockProtocol"];

/** What a request is, told without the code that is tested: the bytes as JSON, and the one command in it. */
function expectedOf(bytes: Buffer): "may be done" | "refused" {
  const text = bytes.toString();
  if (bytes.length > LONGEST_REQUEST || !Buffer.from(text).equals(bytes)) return "refused";
  try {
    const value = JSON.parse(text) as { readonly sender_cid?: unknown } | null;
    return value?.sender_cid === 3 || value?.sender_cid === "3" ? "may be done" : "refused";
  } catch {
    return "refused";
  }
}

test("no request is answered wrongly, does what it may not, or keeps the agent waiting", async () => {
  const requests = fc.sample(sent, { numRuns: 200, seed: 19_090 });
  const kinds = new Map<string, number>();
  for (const request of requests) {
    const bytes = Buffer.concat(request.pieces);
    const { reply, ending, done, seconds } = await serve(request, PATIENCE);
    const told = JSON.stringify({ text: bytes.toString().slice(0, 200), reply, ending });
    expect(seconds, told).toBeLessThan(PATIENCE / 1000 + 1);
    const isOk = (typeof reply === "object" && reply !== null && "Ok" in reply) || JSON.stringify(reply).includes('"status":"ok"');
    expect(reply, told).toEqual(
      isOk
        ? expect.anything()
        : expect.toSatisfy(
            (value: { readonly Err?: string; readonly status?: string }) => value.status === "error" || (value.Err ?? "") !== "",
          ),
    );
    if (expectedOf(bytes) === "refused") expect(isOk, told).toBe(false);
    // Something was done if and only if the reply says so; versions are only read.
    expect(done.length, told).toBe(isOk && !READ.some((name) => bytes.includes(name)) ? 1 : 0);
    for (const each of done as readonly Readonly<Record<string, Readonly<Record<string, unknown>>>>[]) {
      if (each["upgrade"] !== undefined) {
        expect(each["upgrade"]["url"]).toMatch(/^https:\/\/[^\s"'\\$`@]+$/);
        expect(each["upgrade"]["target-hash"]).toMatch(/^[0-9a-f]{64}$/);
      }
      if (each["show"] !== undefined) expect(each["show"]["count"]).toBeLessThanOrEqual(10);
    }
    const kind = isOk ? "done" : ending;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  // Each way in which one can end is among them.
  for (const kind of ["done", "whole", "closed", "late", "too long"]) expect(kinds.get(kind), kind).toBeGreaterThan(5);
});

test.each([
  ["one byte at a time", Array.from('{"sender_cid":3,"message":"attach-hsm"}', (character) => Buffer.from(character)), false, "whole"],
  ["exactly as long as it may be", [Buffer.from('{"sender_cid":3,"message":"attach-hsm"}'.padEnd(LONGEST_REQUEST))], false, "whole"],
] as const)("a request that comes %s is done", async (_, pieces, closes, ending) => {
  expect(await serve({ pieces, closes })).toMatchObject({ reply: { Ok: "NoPayload" }, ending, done: [{ hsm: "attach" }] });
});

test("a byte more than it may have is refused, whatever it says", async () => {
  const bytes = Buffer.from('{"sender_cid":3,"message":"attach-hsm"}'.padEnd(LONGEST_REQUEST + 1));
  expect(await serve({ pieces: [bytes], closes: false })).toMatchObject({ ending: "too long", done: [] });
});
