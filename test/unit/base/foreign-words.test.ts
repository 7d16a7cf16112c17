import { expect, test } from "vitest";
import { quoted } from "../../../src/base/quoted.ts";
import { BusError } from "../../../src/system/systemd/dbus.ts";
import { CommandError, endingText, runCommand } from "../../../src/system/command.ts";
import { foreignText, foreignWords } from "../../../src/base/foreign-words.ts";
import { systemHost } from "../../../src/system/host.ts";
import { ProblemError, toProblem } from "../../../src/base/problem.ts";
import { Secret } from "../../../src/base/secret.ts";
import { shownAddress } from "../../../src/base/shown-address.ts";
import { parseAnswer } from "../../../src/units/extra/extra-answer.ts";

/** Secrets of this file, as the program has them: text, lines of PEM, bytes. */
const PASSPHRASE = "correct canary battery";
const PEM_LINE = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgcanary";
const BYTES = Buffer.from("00ff10cafe20babe", "hex");
const secrets = [
  new Secret(Buffer.from(PASSPHRASE)),
  new Secret(Buffer.from(`-----BEGIN PRIVATE KEY-----\n${PEM_LINE}\n-----END PRIVATE KEY-----\n`)),
  new Secret(BYTES),
];
const echo = [`bad passphrase "${PASSPHRASE}"`, `line 2: ${PEM_LINE}`, `key ${BYTES.toString("hex")}`, BYTES.toString("base64")].join("\n");
const clean = `bad passphrase "[secret]"\nline 2: [secret]\nkey [secret]\n[secret]`;

test("secrets that the program has had are taken out of whatever someone else says", () => {
  expect(secrets).toHaveLength(3);
  expect(foreignText(echo)).toBe(clean);
  expect(foreignWords(new Error(echo))).toBe(clean);
  expect(foreignWords(echo)).toBe(clean);
});

test("the markers of PEM, empty lines and short ones are not taken for secrets", () => {
  const short = new Secret(Buffer.from("ab\n\n"));
  const text = "no start line: expecting -----BEGIN PRIVATE KEY-----, about\n\nabba";
  expect([foreignText(text), String(short)]).toEqual([text, "[secret]"]);
});

test("of a secret that is a part of another one, nothing of the longer one is left", () => {
  const both = [new Secret(Buffer.from("abcdwxyz")), new Secret(Buffer.from("abcd"))];
  expect(both.map(() => foreignText("<abcdwxyz> <abcd>"))).toEqual(["<[secret]> <[secret]>", "<[secret]> <[secret]>"]);
});

// Each way in, by which words have reached an operator.
test("a tool's words are clean in the record and in its problem, whether it failed or not", async () => {
  const signal = new AbortController().signal;
  const input = new Secret(Buffer.from(PASSPHRASE));
  const complaint = { program: "sh", args: ["-c", "cat >&2; exit $0"], input };
  const recorded: string[] = [];
  const host = systemHost({ signal, onTool: () => (_, stderr) => recorded.push(stderr) });
  expect((await host.run({ ...complaint, args: [...complaint.args, "0"] })).stderr).toBe("[secret]");
  const failure = await host.run({ ...complaint, args: [...complaint.args, "1"] }).catch((error: unknown) => error);
  expect(recorded).toEqual(["[secret]", "[secret]"]);
  if (!(failure instanceof CommandError)) throw new Error("it did not fail");
  expect([failure.stderr, failure.problem.found, failure.message.includes("canary")]).toEqual(["[secret]", "[secret]", false]);
  const absent = await runCommand({ program: "/nonexistent/https://user:canary@host/", args: [] }, signal).catch((error: unknown) => error);
  expect(absent instanceof CommandError ? endingText(absent.ending) : absent).toBe("is not installed");
});

test("so are those of the bus, of an extra unit's executable, and of an error that no one expected", () => {
  const call = { destination: "org.example", path: "/", interface: "org.example", member: "Do" };
  expect(new BusError(call, "org.example.Error", echo).problem.found).toBe(`org.example.Error: ${clean}`);
  const answer = JSON.stringify({ conflict: { what: `no entry: ${PASSPHRASE}`, found: "https://user:canary@host/x?token=canary" } });
  expect(parseAnswer(answer, "/x").conflict).toEqual({ what: "no entry: [secret]", found: "https://…@host/x?…" });
  expect(() => parseAnswer(`{ ${PASSPHRASE}`, "/x")).toThrow(/\[secret\]/);
  expect(toProblem(new Error(echo)).found).toContain(clean);
  const failed = Object.assign(new Error(`EIO: ${PASSPHRASE}`), { code: "EIO", syscall: "read", path: "https://user:canary@host/" });
  expect(toProblem(failed)).toEqual({ code: "system-call-failed", what: "cannot read https://…@host/", found: "EIO: [secret]" });
});

test("what would move a terminal's cursor is not passed on", () => {
  expect(foreignText("a\u001b[2J\u0007b\u009b31m\tc\r\nd")).toBe("a?[2J?b?31m\tc\r\nd");
});

// RFC 3986, 3.2.1: "Applications should not render as clear text any data after the first colon".
test.each([
  ["https://host/a/update.tar", "https://host/a/update.tar"],
  ["https://user:canary@host:8443/x", "https://…@host:8443/x"],
  ["https://canary@[2001:db8::1]/x?token=canary#canary", "https://…@[2001:db8::1]/x?…"],
  ["https://host/@scope/x", "https://host/@scope/x"],
  ["https://user:can/ary@host/x", "https://…"],
  ["https://user:can?ary@host/x", "https://…"],
  ["https://us@er:canary@host/", "https://…@host/"],
  ["http://[::1", "http://[::1"],
  ["http:user:canary@host/x", "http:…@host/x"],
])("of the address %s is shown %s", (address, shown) => {
  expect(shownAddress(address)).toBe(shown);
});

test("addresses are found in the middle of a sentence, also in a value that was refused", () => {
  expect(foreignText("Request cannot be constructed from a URL that includes credentials: http://user:canary@x/, so")).toBe(
    "Request cannot be constructed from a URL that includes credentials: http://…@x/, so",
  );
  expect(foreignText("7https://user:canary@x/, .http://user:canary@x/")).toBe("7https://…@x/, .http://…@x/");
  expect(quoted("https://user:canary@logs.example:9200?key=canary")).toBe('"https://…@logs.example:9200?…"');
});

test("a long text that could begin an address at each of its letters is gone through once", () => {
  const start = performance.now();
  expect(foreignText("a.".repeat(32_768))).toHaveLength(65_536);
  expect(performance.now() - start).toBeLessThan(1000);
});

test("a problem says nothing of an error that is its cause", () => {
  expect(new ProblemError({ code: "test-problem", what: "x" }, { cause: new Error(PASSPHRASE) }).message).toBe("x");
});
