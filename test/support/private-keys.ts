import { generateKeyPairSync } from "node:crypto";

/** Private keys in PEM, as the tools of node operators write them. */
export const SEC1 = generateKeyPairSync("ec", {
  namedCurve: "secp256k1",
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "sec1", format: "pem" },
}).privateKey;
export const PKCS8 = generateKeyPairSync("ec", {
  namedCurve: "prime256v1",
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
}).privateKey;
/** As ssh-keygen writes it: lines of 70 characters. No program reads this one: it has the right head, and random bytes. */
export const OPENSSH = [
  "-----BEGIN OPENSSH PRIVATE KEY-----",
  ...(Buffer.concat([Buffer.from("openssh-key-v1\0"), crypto.getRandomValues(new Uint8Array(245))])
    .toString("base64")
    .match(/.{1,70}/g) ?? []),
  "-----END OPENSSH PRIVATE KEY-----\n",
].join("\n");

/** The pieces of 12 characters of a key's base64 that a text has in it, in capitals or not. */
export function shownPieces(pem: string, text: string): readonly string[] {
  const lines = pem.split("\n").filter((line) => !line.startsWith("-----"));
  const pieces = lines.flatMap((line) => Array.from({ length: Math.max(line.length - 11, 0) }, (_, at) => line.slice(at, at + 12)));
  return pieces.filter((piece) => text.toLowerCase().includes(piece.toLowerCase()));
}
