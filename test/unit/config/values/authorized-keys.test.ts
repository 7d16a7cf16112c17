import { expect, test } from "vitest";
import { parseAuthorizedKeys } from "../../../../src/config/values/authorized-keys.ts";
import { problemOf } from "../../../support/problem-of.ts";

const parse = (text: string): ReturnType<typeof parseAuthorizedKeys> => parseAuthorizedKeys(Buffer.from(text), "admin");

/** A blob as ssh-keygen makes it: length-prefixed strings, the first of which is the type. */
function blob(type: string, ...fields: readonly string[]): string {
  const strings = [type, ...fields].map((text) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]));
  return Buffer.concat(strings).toString("base64");
}

const ED25519 = `ssh-ed25519 ${blob("ssh-ed25519", "k".repeat(32))}`;

test.each([
  ["an empty file", "", 0],
  ["comments and blank lines", "# nobody\n\n   \n", 0],
  ["a key without a comment", ED25519, 1],
  ["two keys", `${ED25519} a@b\n${ED25519} someone with blanks\n`, 2],
  ["RSA", `ssh-rsa ${blob("ssh-rsa", "e", "n".repeat(100))} x`, 1],
  ["ECDSA", `ecdsa-sha2-nistp256 ${blob("ecdsa-sha2-nistp256", "nistp256", "q".repeat(65))} x`, 1],
  ["a security key", `sk-ssh-ed25519@openssh.com ${blob("sk-ssh-ed25519@openssh.com", "k".repeat(32), "ssh:")} x`, 1],
  ["tabs between the parts", ED25519.replace(" ", "\t"), 1],
  ["options that restrict", `restrict,from="192.0.2.0/24,2001:db8::/32",expiry-time="20300101" ${ED25519} x`, 1],
])("%s: accepted", (_, text, count) => {
  expect(parse(text)).toHaveLength(count);
});

test("a line is taken apart into options, type, key and comment", () => {
  expect(parse(`no-pty,restrict ${ED25519} a b`)).toEqual([
    { options: "no-pty,restrict", type: "ssh-ed25519", blob: blob("ssh-ed25519", "k".repeat(32)), comment: "a b" },
  ]);
});

test.each([
  ["a command", `command="/bin/sh -c id" ${ED25519}`, 1, "only restrict"],
  ["a command behind a harmless option", `restrict,command="id" ${ED25519}`, 1, "only restrict"],
  ["a command that looks like an address", `from="1.2.3.4",command="id" ${ED25519}`, 1, "only restrict"],
  ["a quote inside of an option", `from="a\\"b" ${ED25519}`, 1, ""],
  ["environment", `environment="LD_PRELOAD=/x.so" ${ED25519}`, 1, "only restrict"],
  ["a certificate authority", `cert-authority ${ED25519}`, 1, "only restrict"],
  ["a tunnel", `tunnel="0" ${ED25519}`, 1, "only restrict"],
  ["an undoing option", `restrict,pty ${ED25519}`, 1, "only restrict"],
  ["DSA", `ssh-dss ${blob("ssh-dss", "a", "b", "c", "d")}`, 1, "a key type"],
  ["a certificate", `ssh-ed25519-cert-v01@openssh.com ${blob("ssh-ed25519-cert-v01@openssh.com", "x")}`, 1, "a key type"],
  ["a type alone", "ssh-ed25519", 12, "base64"],
  ["no base64", "ssh-ed25519 ????", 13, "base64"],
  ["base64 with something behind it", `${ED25519}==`, 13, "base64"],
  ["a blob cut short", `ssh-ed25519 ${Buffer.from("AAAA", "base64").toString("base64")}`, 13, "whole key"],
  ["a length that lies", `ssh-ed25519 ${Buffer.from([0xff, 0xff, 0xff, 0xff, 1]).toString("base64")}`, 13, "whole key"],
  ["another type inside", `ssh-ed25519 ${blob("ssh-dsssssss", "k".repeat(32))}`, 13, "ssh-ed25519"],
  ["too many fields", `ssh-ed25519 ${blob("ssh-ed25519", "a", "b")}`, 13, "whole key"],
  ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----", 1, "a key type"],
  ["a shell line", "$(reboot)", 1, "a key type"],
  ["a control character", `${ED25519} a\x1b[2Jb`, ED25519.length + 3, "printable"],
])("%s: refused with its place", async (_, text, column, expected) => {
  const problem = await problemOf(() => parse(text));
  expect(problem.where).toEqual({ file: "admin", line: 1, column });
  expect(problem.expected).toContain(expected);
});

test("every bad line is named", async () => {
  const problem = await problemOf(() => parse(`nonsense\n${ED25519}\nssh-rsa x\n`));
  expect(problem).toMatchObject({ what: "there are 2 mistakes in the file", where: { line: 1 } });
  expect(problem.found).toContain("3:9");
});
