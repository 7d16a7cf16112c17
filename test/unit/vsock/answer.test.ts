import { describe, expect, test } from "vitest";
import { ProblemError } from "../../../src/base/problem.ts";
import { answer, refusalOf } from "../../../src/vsock/answer.ts";
import { recordingActions } from "../../support/recording-actions.ts";

const HASH = "ab".repeat(32);
const URL = "https://download.example.org/ic/update-img.tar.zst?version=1";
const guest = { peer: 3, served: [3] };

async function asked(
  request: unknown,
  caller: Parameters<typeof answer>[1] = guest,
): Promise<{ reply: unknown; done: readonly unknown[] }> {
  const actions = recordingActions();
  const bytes = typeof request === "string" ? Buffer.from(request) : Buffer.from(JSON.stringify(request));
  const { text } = await answer(bytes, caller, actions);
  return { reply: JSON.parse(text), done: actions.done };
}

const v1 = (message: unknown): unknown => ({ sender_cid: 3, message });
const v0 = (message: unknown): unknown => ({ sender_cid: "3", message });
const ACCEPTED = { message: "accepted request", status: "ok" };

describe("what a guest asks for is done, and answered in its own dialect", () => {
  test.each([
    [v1("GetVsockProtocol"), { Ok: { HostOSVsockVersion: { major: 1, minor: 0, patch: 0 } } }, []],
    [v1("GetHostOSVersion"), { Ok: { HostOSVersion: "7b4c1d6e" } }, []],
    [v1("attach-hsm"), { Ok: "NoPayload" }, [{ hsm: "attach" }]],
    [v1("detach-hsm"), { Ok: "NoPayload" }, [{ hsm: "detach" }]],
    [
      v1({ upgrade: { url: URL, "target-hash": HASH.toUpperCase() } }),
      { Ok: "NoPayload" },
      [{ upgrade: { url: URL, "target-hash": HASH } }],
    ],
    [v1({ notify: { count: 2, message: "joined" } }), { Ok: "NoPayload" }, [{ show: { count: 2, message: "joined" } }]],
    // As on today's hosts: more than ten times are ten times.
    [v1({ notify: { count: 4_000_000_000, message: "" } }), { Ok: "NoPayload" }, [{ show: { count: 10, message: "" } }]],
    [v0("attach-hsm"), ACCEPTED, [{ hsm: "attach" }]],
    [v0("detach-hsm"), ACCEPTED, [{ hsm: "detach" }]],
    [v0(`upgrade[${URL} ${HASH}]`), ACCEPTED, [{ upgrade: { url: URL, "target-hash": HASH } }]],
    [v0("notify[2, the node, [joined]\nnow]"), ACCEPTED, [{ show: { count: 2, message: "the node, [joined]\nnow" } }]],
  ])("%j", async (request, reply, done) => {
    expect(await asked(request)).toEqual({ reply, done });
  });
});

describe("what is wrong is answered with what is wrong, and nothing is done", () => {
  const upgrade = (url: unknown, hash: unknown = HASH): unknown => v1({ upgrade: { url, "target-hash": hash } });
  const notify = (count: unknown, message: unknown): unknown => v1({ notify: { count, message } });
  test.each([
    ["", "no JSON object"],
    ["null", "no JSON object"],
    ['"attach-hsm"', "no JSON object"],
    ["3", "no JSON object"],
    ['{"sender_cid":3,"message":"attach-hsm"', "no JSON object"],
    ['{"sender_cid":3,"message":"attach-hsm"}{', "no JSON object"],
    ["[]", "expected {"],
    ["{}", "expected {"],
    [{ message: "attach-hsm" }, "expected {"],
    [{ sender_cid: null, message: "attach-hsm" }, "expected {"],
    [{ sender_cid: -1, message: "attach-hsm" }, "expected {"],
    [{ sender_cid: 3.5, message: "attach-hsm" }, "expected {"],
    [{ sender_cid: 2 ** 32, message: "attach-hsm" }, "expected {"],
    [{ sender_cid: "0x3", message: "attach-hsm" }, "expected {"],
    [{ sender_cid: "3", message: { notify: { count: 1, message: "" } } }, "expected {"],
    [{ sender_cid: 4, message: "attach-hsm" }, "sender_cid is 4, but the connection comes from CID 3"],
    ['{"sender_cid":4,"sender_cid":3,"message":"attach-hsm"}', "each name once"],
    [`{"sender_cid":3,"message":${"[".repeat(500)}${"]".repeat(500)}}`, "at most 3 objects"],
    [v1({ notify: { count: 1, message: "", deeper: {} } }), "at most 3 objects"],
    [{ sender_cid: 3 }, "expected {"],
    [v1(null), "unknown command"],
    [v1(7), "unknown command"],
    [v1([]), "unknown command"],
    [v1({}), "unknown command"],
    [v1("reboot"), 'unknown command "reboot"'],
    [v1("\u001b[2J"), 'unknown command "\\u001b[2J"'],
    [v1("toString"), "unknown command"],
    [v1("upgrade"), "upgrade: "],
    [v1({ __proto__: 1, toString: 1 }), "unknown command"],
    [v1({ "attach-hsm": {} }), 'unknown command "attach-hsm {…}"'],
    [v1({ upgrade: { url: URL, "target-hash": HASH }, notify: { count: 1, message: "" } }), "one command"],
    [v1("start-upgrade-guest-vm"), "this host has no upgrade VM"],
    [v1({ "set-node-id": { "node-id": "abcde-fghij" } }), "set-node-id is no longer a command"],
    [v1(`upgrade[${URL} ${HASH}]`), "unknown command"],
    [upgrade("http://example.org/i.tar"), "upgrade.url: expected an https address"],
    [upgrade("file:///etc/shadow"), "upgrade.url: expected an https address"],
    [upgrade("https://user:word@example.org/i.tar"), "upgrade.url: expected an https address"],
    [upgrade("https://example.org:99999/"), "upgrade.url: expected an https address"],
    [upgrade('https://example.org/"\nLD_PRELOAD=/x'), "upgrade.url: expected an https address"],
    [upgrade("https://example.org/$HOME"), "upgrade.url: expected an https address"],
    [upgrade("https://example.org/ --insecure"), "upgrade.url: expected an https address"],
    [upgrade("--insecure"), "upgrade.url: expected an https address"],
    [upgrade(`https://example.org/${"x".repeat(2048)}`), "upgrade.url: "],
    [upgrade(7), "upgrade.url: "],
    [upgrade(URL, "abc"), "upgrade.target-hash: expected the SHA-256"],
    [upgrade(URL, `${HASH}\n`), "upgrade.target-hash: expected the SHA-256"],
    [upgrade(URL, "../".repeat(22).slice(0, 64)), "upgrade.target-hash: expected the SHA-256"],
    [upgrade(URL, null), "upgrade.target-hash: "],
    [v1({ upgrade: URL }), "upgrade: "],
    [notify(-1, ""), "notify.count: "],
    [notify(1.5, ""), "notify.count: "],
    [notify("2", ""), "notify.count: "],
    [notify(1, "x".repeat(1025)), "notify.message: "],
    [notify(1, 7), "notify.message: "],
  ])("%j", async (request, why) => {
    expect(await asked(request)).toEqual({ reply: { Err: expect.stringContaining(why) }, done: [] });
  });

  test.each([
    ["reboot", "unknown command"],
    ["GetHostOSVersion", "unknown command"],
    ["upgrade[https://example.org/i.tar]", "upgrade.url: "],
    [`upgrade[http://example.org/i.tar ${HASH}]`, "upgrade.url: expected an https address"],
    [`upgrade[${URL} ${HASH} x]`, "upgrade.url: "],
    ["notify[two, x]", "notify."],
    ["notify", "notify."],
    ["set-node-id[abcde-fghij]", "set-node-id is no longer a command"],
    ["upgrade", "upgrade."],
    ["attach-hsm]", "unknown command"],
  ])("version 0: %j", async (message, why) => {
    expect(await asked(v0(message))).toEqual({ reply: { message: expect.stringContaining(why), status: "error" }, done: [] });
  });

  test("bytes that are no UTF-8", async () => {
    const { text } = await answer(Buffer.from('{"sender_cid":3,"message":"\xff"}', "latin1"), guest, recordingActions());
    expect(JSON.parse(text)).toEqual({ Err: expect.stringContaining("UTF-8") });
  });
});

describe("who asks", () => {
  test.each([
    [{ peer: 4, served: [3] }, { sender_cid: 4, message: "attach-hsm" }, { Err: "CID 4 is not served" }],
    [{ peer: 4, served: [3] }, { sender_cid: 3, message: "attach-hsm" }, { Err: "CID 4 is not served" }],
    [
      { peer: 4, served: [3] },
      { sender_cid: "3", message: "attach-hsm" },
      { message: "CID 4 is not served", status: "error" },
    ],
    [{ peer: undefined, served: [3] }, v1("attach-hsm"), { Err: "the connection comes from no virtual machine" }],
    [guest, { sender_cid: "4", message: "attach-hsm" }, { message: expect.stringContaining("sender_cid is 4"), status: "error" }],
  ])("%j with %j is refused", async (caller, request, reply) => {
    expect(await asked(request, caller)).toEqual({ reply, done: [] });
  });

  test("a second guest is served where it is named", async () => {
    const request = { sender_cid: 4, message: "attach-hsm" };
    expect(await asked(request, { peer: 4, served: [3, 4] })).toEqual({ reply: { Ok: "NoPayload" }, done: [{ hsm: "attach" }] });
  });
});

test("what the host could not do is told in its words, bounded, and in the journal too", async () => {
  const problem = new ProblemError({ code: "test-problem", what: "no such device", found: "x".repeat(100_000) });
  const actions = recordingActions({ hsm: async () => Promise.reject(problem) });
  const { text, log } = await answer(Buffer.from(JSON.stringify(v1("attach-hsm"))), guest, actions);
  expect(text.length).toBeLessThan(2100);
  expect(JSON.parse(text)).toEqual({ Err: expect.stringMatching(/^no such device: found x+$/) });
  expect(log).toMatch(/^CID 3: attach-hsm: no such device/);
});

test.each([
  ["a defect", new TypeError("a defect"), /a defect in guestos-boot: found TypeError: a defect/],
  [
    "an error of the file system",
    Object.assign(new Error("EEXIST: file already exists"), { code: "EEXIST", syscall: "open", path: "/run/x" }),
    /cannot open \/run\/x: found EEXIST/,
  ],
])("%s is a reply too, without its words, which are in the journal", async (_, error, words) => {
  const actions = recordingActions({ hsm: async () => Promise.reject(error) });
  const { text, log } = await answer(Buffer.from(JSON.stringify(v1("attach-hsm"))), guest, actions);
  expect(JSON.parse(text)).toEqual({ Err: "the host could not do it" });
  expect(log).toMatch(/^CID 3: attach-hsm: the host could not do it: /);
  expect(log).toMatch(words);
});

test("what has several lines is one in the journal, and as it is in the reply", async () => {
  const problem = new ProblemError({
    code: "test-problem",
    what: "cannot start x.service",
    found: "it failed\nJan 1: no disk\r\n\n  at all\n",
  });
  const actions = recordingActions({ hsm: async () => Promise.reject(problem) });
  const { text, log } = await answer(Buffer.from(JSON.stringify(v1("attach-hsm"))), guest, actions);
  expect(JSON.parse(text)).toEqual({ Err: "cannot start x.service: found it failed\nJan 1: no disk\r\n\n  at all\n" });
  expect(log).toBe("CID 3: attach-hsm: cannot start x.service: found it failed / Jan 1: no disk / at all");
});

test("a process that is told to end gives no reply", async () => {
  const { reason } = AbortSignal.abort();
  const actions = recordingActions({ hsm: async () => Promise.reject(reason) });
  await expect(answer(Buffer.from(JSON.stringify(v1("attach-hsm"))), guest, actions)).rejects.toBe(reason);
});

test("what did not arrive whole is answered in today's dialect", () => {
  expect(refusalOf("too long", { peer: undefined, served: [3] })).toEqual({
    text: '{"Err":"too long"}',
    log: "CID unknown: no request: too long",
  });
});
