import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { parseHostKey, publicKeyOf } from "../../../../src/config/values/openssh-key.ts";
import { mpint } from "../../../../src/config/values/ssh-wire.ts";
import { makeHostKey } from "../../../support/host-key.ts";

describe.each(["ed25519", "ecdsa", "rsa"] as const)("a host key of type %s", (type) => {
  test("is read, and its public half is computed from the private one", () => {
    const { text, publicLine } = makeHostKey(type);
    const key = parseHostKey(text);
    expect(key).toMatchObject({ kind: "key", type: publicLine.split(" ")[0], publicLine, isCanonical: true });
    expect(canonicalOf(key)).toBe(text);
  });

  test("is unusable when it is cut off anywhere", () => {
    const { text } = makeHostKey(type);
    for (let length = 0; length < text.length - 2; length += 7) expect(parseHostKey(text.slice(0, length)).kind).not.toBe("key");
  });

  test("is unusable, or has the same public half, when any of its bytes is another", () => {
    const { publicLine } = makeHostKey(type, { comment: "" });
    let flipped = 0;
    makeHostKey(type, {
      damage: (bytes) => {
        for (let at = 0; at < bytes.length; at += type === "rsa" ? 11 : 1) {
          const damaged = Buffer.from(bytes);
          damaged.writeUInt8(damaged.readUInt8(at) ^ 0x10, at);
          const before = parseHostKey(armoured(bytes));
          const after = parseHostKey(armoured(damaged));
          if (after.kind !== "key") flipped += 1;
          else expect(publicKeyOf(after.publicLine)).toBe(before.kind === "key" ? publicKeyOf(before.publicLine) : undefined);
        }
        return bytes;
      },
    });
    expect(flipped).toBeGreaterThan(publicLine.length / 11);
  });
});

function canonicalOf(key: ReturnType<typeof parseHostKey>): string {
  return key.kind === "key" ? Buffer.from(key.canonical.expose()).toString() : key.reason;
}

/** How a key gets changed on its way to a node, by an editor, a copy through another system, or a template. */
const HARMS: readonly (readonly [string, (text: string) => string])[] = [
  ["no last line feed", (text) => text.trimEnd()],
  ["carriage returns", (text) => text.replaceAll("\n", "\r\n")],
  ["a byte order mark", (text) => `\ufeff${text}`],
  ["leading blanks", (text) => `  ${text}`],
  ["a leading empty line", (text) => `\n${text}`],
  ["indented lines", (text) => text.replaceAll(/^/gm, "    ")],
  ["text before it", (text) => `Bag Attributes\n    friendlyName: host\n${text}`],
  [
    "one line",
    (text) => text.replace(/KEY-----\n([^-]+)-----END/, (_, body: string) => `KEY-----\n${body.replaceAll("\n", "")}\n-----END`),
  ],
];

describe.each(["ed25519", "ecdsa", "rsa"] as const)("a host key of type %s that was changed on its way", (type) => {
  test.each(HARMS)("by %s, is the same key, and known not to be as it was written", (_, harm) => {
    const { text, publicLine } = makeHostKey(type);
    const key = parseHostKey(harm(text));
    expect(key).toMatchObject({ kind: "key", publicLine, isCanonical: false });
    expect(canonicalOf(key)).toBe(text);
  });
});

describe("what sshd does not take is not canonical", () => {
  test("an Ed25519 key in PKCS 8 (sshkey.c, sshkey_parse_private_fileblob_type)", () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const key = parseHostKey(privateKey.export({ format: "pem", type: "pkcs8" }));
    expect(key).toMatchObject({ kind: "key", type: "ssh-ed25519", isCanonical: false });
    expect(parseHostKey(canonicalOf(key))).toMatchObject({ publicLine: key.kind === "key" ? key.publicLine : "", isCanonical: true });
  });

  test.each([
    ["no padding up to the cipher's block (private2_decrypt)", 1],
    ["more padding than that", 9],
  ])("%s", (_, count) => {
    const { text } = makeHostKey("ed25519", { comment: "1234567", padding: count });
    expect(parseHostKey(text)).toMatchObject({ kind: "key", isCanonical: false });
  });

  test("a comment with a zero byte (sshbuf_get_cstring)", () => {
    expect(parseHostKey(makeHostKey("ed25519", { comment: "a\0b" }).text)).toMatchObject({ kind: "key", isCanonical: false });
  });
});

test("an RSA key below 1024 bits is none for sshd (SSH_RSA_MINIMUM_MODULUS_SIZE)", () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 768 });
  expect(parseHostKey(privateKey.export({ format: "pem", type: "pkcs1" }))).toMatchObject({
    kind: "unknown",
    reason: expect.stringContaining("1024 bits"),
  });
});

test("a number is encoded in one way (RFC 4251, section 5)", () => {
  expect(mpint(Buffer.from("0000", "hex")).toString("hex")).toBe("");
  expect(mpint(Buffer.from("0080", "hex")).toString("hex")).toBe("0080");
  expect(mpint(Buffer.from("80", "hex")).toString("hex")).toBe("0080");
  expect(mpint(Buffer.from("007f", "hex")).toString("hex")).toBe("7f");
});

function armoured(bytes: Buffer): string {
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${bytes.toString("base64")}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

describe("no key that is understood here", () => {
  test.each([
    ["\0\0\0\0", "is no private key"],
    ["hello\n", "is no private key"],
    ["-----BEGIN OPENSSH PRIVATE KEY-----\n", "is cut off"],
    ["-----BEGIN OPENSSH PRIVATE KEY-----\nä\n-----END OPENSSH PRIVATE KEY-----\n", "is not valid base64"],
    [
      "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
      "does not begin as an OpenSSH key does",
    ],
    ["-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "is a damaged PEM file"],
  ])("%j %s", (text, reason) => {
    expect(parseHostKey(text)).toEqual({ kind: "unknown", reason });
  });
});

describe("an unusable key", () => {
  test.each(["", " \n", "\ufeff\r\n"])("%j is empty", (text) => {
    expect(parseHostKey(text)).toEqual({ kind: "unusable", reason: "is empty" });
  });

  test("is one that asks for a passphrase", () => {
    expect(parseHostKey(makeHostKey("ed25519", { cipher: "aes256-ctr" }).text)).toMatchObject({
      reason: expect.stringContaining("passphrase"),
    });
  });

  test("is one whose private half belongs to another public half", () => {
    const other = Buffer.from(makeHostKey("ed25519").publicLine.split(" ")[1] ?? "", "base64").subarray(-32);
    const { text } = makeHostKey("ed25519", {
      // The public key is in the file three times in the file; only the first is exchanged.
      damage: (bytes) => {
        const at = bytes.indexOf(Buffer.from("0000000b7373682d6564323535313900000020", "hex")) + 19;
        return Buffer.concat([bytes.subarray(0, at), other, bytes.subarray(at + 32)]);
      },
    });
    expect(parseHostKey(text)).toEqual({ kind: "unusable", reason: "has two halves that do not belong together" });
  });
});

describe("a key in PEM, as ssh-keygen wrote it before version 7.8", () => {
  test("is read: RSA", () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const key = parseHostKey(privateKey.export({ format: "pem", type: "pkcs1" }));
    expect(key).toMatchObject({
      kind: "key",
      type: "ssh-rsa",
      publicLine: expect.stringMatching(/^ssh-rsa AAAAB3NzaC1yc2E[A-Za-z0-9+/]+={0,2}\n$/),
    });
  });

  test("is read: ECDSA", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const key = parseHostKey(privateKey.export({ format: "pem", type: "sec1" }));
    expect(key).toMatchObject({ kind: "key", type: "ecdsa-sha2-nistp384" });
  });
});

test("a comment that is no single line of printable text is left out of the public half", () => {
  const { text, publicLine } = makeHostKey("ed25519", { comment: "a\nssh-rsa AAAA evil" });
  const key = parseHostKey(text);
  expect(key).toMatchObject({ kind: "key", publicLine: `${publicKeyOf(publicLine)}\n` });
});

test("a line without two fields is no public key", () => {
  expect(publicKeyOf("")).toBeUndefined();
  expect(publicKeyOf("ssh-ed25519")).toBeUndefined();
  expect(publicKeyOf("ssh-ed25519  AAAA me@there\n")).toBe("ssh-ed25519 AAAA");
});
