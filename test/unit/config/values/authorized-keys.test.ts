import { createECDH } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseAuthorizedKeys, scanAuthorizedKeys } from "../../../../src/config/values/authorized-keys.ts";
import { wireStrings } from "../../../../src/config/values/ssh-wire.ts";
import { makeHostKey } from "../../../support/host-key.ts";
import { OPENSSH, PKCS8, SEC1, shownPieces } from "../../../support/private-keys.ts";
import { problemOf } from "../../../support/problem-of.ts";

const parse = (text: string): ReturnType<typeof parseAuthorizedKeys> => parseAuthorizedKeys(Buffer.from(text), "admin");

/** A blob as ssh-keygen makes it: length-prefixed strings, the first of which is the type. */
function blob(type: string, ...fields: readonly string[]): string {
  const strings = [type, ...fields].map((text) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]));
  return Buffer.concat(strings).toString("base64");
}

function wire(...parts: readonly (string | Buffer)[]): string {
  return wireStrings(...parts).toString("base64");
}

/** A point of P-256 in a key that says so, or says something else. */
function point(curve: string, format: "compressed" | "uncompressed" = "uncompressed"): string {
  const ecdh = createECDH("prime256v1");
  ecdh.generateKeys();
  return wire("ecdsa-sha2-nistp256", curve, ecdh.getPublicKey(null, format));
}

const RSA = makeHostKey("rsa").publicLine.trim();
const ECDSA = makeHostKey("ecdsa").publicLine.trim();
const ED25519 = `ssh-ed25519 ${blob("ssh-ed25519", "k".repeat(32))}`;

test.each([
  ["an empty file", "", 0],
  ["comments and blank lines", "# nobody\n\n   \n", 0],
  ["a key without a comment", ED25519, 1],
  ["two keys", `${ED25519} a@b\n${ED25519} someone with blanks\n`, 2],
  ["RSA", RSA, 1],
  ["ECDSA", ECDSA, 1],
  ["carriage returns, which sshd takes", `${ED25519} a\r\n${RSA}\r\n`, 2],
  ["a carriage return at the very end", `${ED25519}\r`, 1],
  ["a byte order mark", `\ufeff${ED25519}\n${RSA}`, 2],
  ["a security key", `sk-ssh-ed25519@openssh.com ${blob("sk-ssh-ed25519@openssh.com", "k".repeat(32), "ssh:")} x`, 1],
  ["tabs between the parts", ED25519.replace(" ", "\t"), 1],
  ["options that restrict", `restrict,from="192.0.2.0/24,2001:db8::/32",expiry-time="20300101" ${ED25519} x`, 1],
  ["a key whose token asks for a PIN (sshd(8), verify-required)", `verify-required ${ED25519} x`, 1],
  ["a network in a short form (inet_aton(3))", `from="10.1.0/24,0x0a000000/8" ${ED25519} x`, 1],
  ["patterns", `from="!10.0.0.1,10.*,*.example.org,host" ${ED25519} x`, 1],
  ["everyone", `from="0.0.0.0/0,::/0" ${ED25519} x`, 1],
  ["times with hours, and in UTC", `expiry-time="203002282359",expiry-time="20300228235961Z" ${ED25519} x`, 1],
])("%s: accepted", (_, text, count) => {
  expect(parse(text)).toHaveLength(count);
});

test("a carriage return does not end up in a comment, or in a key", () => {
  expect(parse(`${ED25519} a\r\n${ED25519}\r\n`).map(({ blob: key, comment }) => `${key} ${comment}`)).not.toContainEqual(
    expect.stringContaining("\r"),
  );
});

test("a line is taken apart into options, type, key and comment", () => {
  expect(parse(`no-pty,restrict ${ED25519} a b`)).toEqual([
    { options: ["no-pty", "restrict"], type: "ssh-ed25519", blob: blob("ssh-ed25519", "k".repeat(32)), comment: "a b" },
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
  ["a key whose token need not be touched", `no-touch-required ${ED25519}`, 1, "only restrict"],
  ["from= twice, for which sshd drops the line", `from="10.0.0.1",from="10.0.0.2" ${ED25519}`, 1, "one list"],
  ["an empty from=", `from="" ${ED25519}`, 1, "separated by commas"],
  ["an empty entry, for which sshd drops the list", `from="10.0.0.1,,10.0.0.2" ${ED25519}`, 1, "separated by commas"],
  ["a lone exclamation mark", `from="10.0.0.1,!" ${ED25519}`, 1, "separated by commas"],
  ["bits behind a prefix", `from="10.0.0.1/8" ${ED25519}`, 1, "first 8 are 0"],
  ["bits behind a prefix of IPv6", `from="192.0.2.1,2001:db8::1/32" ${ED25519}`, 1, "first 32 are 0"],
  ["bits behind the prefix 0", `from="10.0.0.0/0" ${ED25519}`, 1, "first 0 are 0"],
  ["bits behind a prefix of a short form: 10 is 0.0.0.10", `from="10/8" ${ED25519}`, 1, "first 8 are 0"],
  ["a prefix of IPv6 behind an IPv4 address", `from="10.0.0.0/99" ${ED25519}`, 1, "at most /32"],
  ["a month that there is not", `expiry-time="20301301" ${ED25519}`, 1, "YYYYMMDD"],
  ["a day that there is not", `expiry-time="20300132" ${ED25519}`, 1, "YYYYMMDD"],
  ["an hour that there is not", `expiry-time="203001012400" ${ED25519}`, 1, "YYYYMMDD"],
  ["a time of ten digits", `expiry-time="2030010112" ${ED25519}`, 1, "YYYYMMDD"],
  ["a time before 1970", `expiry-time="19691231" ${ED25519}`, 1, "YYYYMMDD"],
  ["DSA", `ssh-dss ${blob("ssh-dss", "a", "b", "c", "d")}`, 1, "a key type"],
  ["a certificate", `ssh-ed25519-cert-v01@openssh.com ${blob("ssh-ed25519-cert-v01@openssh.com", "x")}`, 1, "a key type"],
  ["a type alone", "ssh-ed25519", 12, "base64"],
  ["no base64", "ssh-ed25519 ????", 13, "base64"],
  ["base64 with something behind it", `${ED25519}==`, 13, "base64"],
  ["a blob cut short", `ssh-ed25519 ${Buffer.from("AAAA", "base64").toString("base64")}`, 13, "whole key"],
  ["a length that lies", `ssh-ed25519 ${Buffer.from([0xff, 0xff, 0xff, 0xff, 1]).toString("base64")}`, 13, "whole key"],
  ["Ed25519 with a byte too few", `ssh-ed25519 ${blob("ssh-ed25519", "k".repeat(31))}`, 13, "whole key"],
  ["RSA below 1024 bits", `ssh-rsa ${blob("ssh-rsa", "e", "n".repeat(100))}`, 9, "whole key"],
  ["RSA with a negative number", `ssh-rsa ${wire("ssh-rsa", Buffer.of(3), Buffer.alloc(128, 0xff))}`, 9, "whole key"],
  ["another curve than the type's", `ecdsa-sha2-nistp256 ${point("nistp384")}`, 21, "whole key"],
  ["no point of the curve", `ecdsa-sha2-nistp256 ${blob("ecdsa-sha2-nistp256", "nistp256", "\x04".padEnd(65, "q"))}`, 21, "whole key"],
  ["a compressed point", `ecdsa-sha2-nistp256 ${point("nistp256", "compressed")}`, 21, "whole key"],
  ["another type inside", `ssh-ed25519 ${blob("ssh-dsssssss", "k".repeat(32))}`, 13, "ssh-ed25519"],
  ["too many fields", `ssh-ed25519 ${blob("ssh-ed25519", "a", "b")}`, 13, "whole key"],
  ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----", 1, "public keys alone"],
  ["a shell line", "$(reboot)", 1, "a key type"],
  ["a control character", `${ED25519} a\x1b[2Jb`, ED25519.length + 3, "printable"],
])("%s: refused with its place", async (_, text, column, expected) => {
  const problem = await problemOf(() => parse(text));
  expect(problem.where).toEqual({ file: "admin", line: 1, column });
  expect(problem.expected).toContain(expected);
});

test("a network is taken exactly where no bit behind its prefix is set (addr.c of OpenSSH, addr_host_is_all0s)", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 40 }), fc.nat(0xffff_ffff), fc.boolean(), async (prefix, number, isNetwork) => {
      const size = 2 ** Math.max(0, 32 - prefix);
      const value = isNetwork ? number - (number % size) : number;
      const address = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
      const line = `from="192.0.2.1,${address}/${prefix}" ${ED25519}`;
      if (prefix <= 32 && value % size === 0) expect(parse(line)).toHaveLength(1);
      else expect(await problemOf(() => parse(line))).toMatchObject({ where: { line: 1, column: 1 } });
    }),
  );
});

test("every bad line is named", async () => {
  const problem = await problemOf(() => parse(`nonsense\n${ED25519}\nssh-rsa x\n`));
  expect(problem).toMatchObject({ what: "there are 2 mistakes in the file", where: { line: 1 } });
  expect(problem.found).toContain("3:9");
});

test.each([
  ["OpenSSH", OPENSSH],
  ["PKCS#8", PKCS8],
  ["SEC 1", SEC1],
  ["OpenSSH with the line ends of Windows", OPENSSH.replaceAll("\n", "\r\n")],
])("a private key in %s is one mistake, at its first line, and no part of it is shown", (_, pem) => {
  const { keys, findings } = scanAuthorizedKeys(Buffer.from(`# of me\n${ED25519}\nnonsense\n${pem}`), "admin");
  expect(keys).toHaveLength(1);
  expect(findings).toMatchObject([{ line: 4, column: 1, code: "private-key-in-keys", expected: "public keys alone" }]);
  expect(shownPieces(pem, JSON.stringify(findings))).toEqual([]);
});

test.each([
  ["without its first line", (pem: string) => pem.replace(/^.*\n/, "")],
  ["without its last line", (pem: string) => pem.replace(/\n-----END.*\n$/, "")],
  ["without both", (pem: string) => pem.replaceAll(/^-.*$/gm, "")],
  ["behind the type of a key", (pem: string) => pem.replaceAll(/^(?=\w)/gm, "ssh-ed25519 ")],
  ["as an option of a key", (pem: string) => pem.replaceAll(/^\w.*$/gm, `$& ${ED25519}`)],
  ["as the value of an option", (pem: string) => pem.replaceAll(/^\w.*$/gm, `command="$&" ${ED25519}`)],
])("of a private key %s no part is shown", (_, cut) => {
  for (const pem of [OPENSSH, PKCS8, SEC1]) {
    const { findings } = scanAuthorizedKeys(Buffer.from(cut(pem)), "admin");
    expect(findings.length).toBeGreaterThan(0);
    // The last line may be as short as a word.
    expect(shownPieces(pem.replace(/\n.{1,20}(?=\n-----END)/, ""), JSON.stringify(findings))).toEqual([]);
  }
});

test("of a damaged public key only the length is told", async () => {
  const { found } = await problemOf(() => parse(`${ED25519}==`));
  expect(found).toBe(`a word of ${ED25519.length - "ssh-ed25519 ".length + 2} characters`);
});
