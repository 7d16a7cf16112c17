import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { checkPrivateKey, checkPublicKey, pemBlock, plainPem } from "../../../../src/config/values/pem.ts";
import { Secret } from "../../../../src/base/secret.ts";
import { problemOf } from "../../../support/problem-of.ts";

const ed25519 = generateKeyPairSync("ed25519", {
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const secp256k1 = generateKeyPairSync("ec", {
  namedCurve: "secp256k1",
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "sec1", format: "pem" },
});
const rsa = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "pkcs1", format: "pem" },
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
});
const encrypted = generateKeyPairSync("ed25519", {
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" },
});

/** The network's public key: BLS12-381, of which OpenSSL knows nothing. */
const NNS = `-----BEGIN PUBLIC KEY-----
MIGCMB0GDSsGAQQBgtx8BQMBAgEGDCsGAQQBgtx8BQMCAQNhAIFMDm7HH6tYOwi9
gTc8JVw8NxsuhIY8mKTx4It0I10U+12cDNVG2WhfkToMCyzFNBWDv0tDkuRn25bW
W5u0y3FxEvhHLg1aTRRQX/10hLASkQkcX4e5iINGP5gJGguqrg==
-----END PUBLIC KEY-----
`;
const EC_PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBgUrgQQACg==\n-----END EC PARAMETERS-----\n";

const BAG_ATTRIBUTES = "Bag Attributes\n    localKeyID: 54 69 6D 65 20 31 \nKey Attributes: <No Attributes>\n";

const checkPublic = (text: string): void => checkPublicKey(Buffer.from(text), "k.pem");
const checkPrivate = (text: string): void => checkPrivateKey(new Secret(Buffer.from(text)), "k.pem");

test.each([
  ["BLS12-381", NNS],
  ["Ed25519", ed25519.publicKey],
  ["with carriage returns", NNS.replaceAll("\n", "\r\n")],
])("a public key %s is accepted", (_, text) => {
  expect(() => checkPublic(text)).not.toThrow();
});

test.each([
  ["PKCS#8", ed25519.privateKey],
  ["SEC 1", secp256k1.privateKey],
  ["SEC 1 behind its parameters", EC_PARAMETERS + secp256k1.privateKey],
  ["PKCS#1", rsa.privateKey],
  ["with its attributes, as openssl-pkcs12(1) writes it (RFC 7468, section 5.2)", `${BAG_ATTRIBUTES}${ed25519.privateKey}`],
  ["with carriage returns", ed25519.privateKey.replaceAll("\n", "\r\n")],
  ["without a last line feed", ed25519.privateKey.trimEnd()],
])("a private key in %s is accepted", (_, text) => {
  expect(() => checkPrivate(text)).not.toThrow();
});

test.each([
  ["nothing", ""],
  ["words", "hello"],
  ["a private key", ed25519.privateKey],
  ["a PKCS#1 public key", rsa.publicKey],
  ["two keys", NNS + NNS],
  ["text around it", `${NNS}\nand a word`],
  ["an empty line before it, which the replica takes for the first", `\n${NNS}`],
  ["a byte order mark", `\ufeff${NNS}`],
  ["base64 with something between", NNS.replace("MIGC", "MI=C")],
  ["base64 whose last bits are not zero", NNS.replace("rg==", "rh==")],
  ["base64 without its padding", NNS.replace("==", "")],
  ["a block of zeros", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"],
  ["a private key called public", ed25519.privateKey.replaceAll("PRIVATE", "PUBLIC")],
  ["a block cut short", NNS.replace(/\n.*\n-----END/, "\n-----END")],
  ["more than 64 KiB", NNS + " ".repeat(64 * 1024)],
  [
    "an endless length",
    `-----BEGIN PUBLIC KEY-----\n${Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).toString("base64")}\n-----END PUBLIC KEY-----\n`,
  ],
])("as a public key, %s is refused", async (_, text) => {
  expect(await problemOf(() => checkPublic(text))).toMatchObject({ where: { file: "k.pem" } });
});

test.each([
  ["nothing", ""],
  ["a public key", NNS],
  ["an encrypted key", encrypted.privateKey],
  ["two keys", ed25519.privateKey + ed25519.privateKey],
  ["a block without an end behind a whole one", `${ed25519.privateKey}-----BEGIN PRIVATE KEY-----\n`],
  ["parameters alone", EC_PARAMETERS],
  ["a public key called private", NNS.replaceAll("PUBLIC", "PRIVATE")],
])("as a private key, %s is refused, and nothing of it is shown", async (_, text) => {
  const problem = await problemOf(() => checkPrivate(text));
  expect(problem).toMatchObject({ where: { file: "k.pem" } });
  for (const line of text.split("\n").filter((part) => part.length > 20 && !part.startsWith("-")))
    expect(JSON.stringify(problem)).not.toContain(line);
});

test("a text in PEM has a plain form, in which there are the blocks alone", () => {
  const plain = EC_PARAMETERS + secp256k1.privateKey;
  for (const text of [plain, plain.replaceAll("\n", "\r\n"), `\ufeff${plain}`, `Bag\n${plain.trimEnd()}`, plain.replaceAll(/^/gm, "  ")])
    expect(plainPem(text)).toBe(plain);
  expect(plainPem("-----BEGIN X-----\nAAAA\n")).toBe("");
  expect(pemBlock(plain, "EC PRIVATE KEY")).toBe(secp256k1.privateKey);
  expect(pemBlock(plain, "PRIVATE KEY")).toBeUndefined();
});
