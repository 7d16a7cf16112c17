import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { canary } from "./canaries.ts";

/** A new EC P-256 key as PEM. */
export function makeTlsKey(): string {
  return canary("a TLS key", generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "pem", type: "pkcs8" }));
}

/** The same key with a bit of its private half changed; the public half is as before (RFC 5915: the private half is the first OCTET STRING). */
export function damagedKey(text: string): string {
  const bytes = createPrivateKey(text).export({ format: "der", type: "pkcs8" });
  const place = bytes.indexOf(Buffer.from("0201010420", "hex")) + 5 + 31;
  bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
  return createPrivateKey({ key: bytes, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" });
}

/** The smallest self-signed certificate that X509Certificate reads (RFC 5280, section 4.1), valid between the two dates. */
export function makeCertificate(key: string, from: Date, to: Date): string {
  const algorithm = der(0x30, Buffer.from("06082a8648ce3d040302", "hex"));
  const name = der(0x30, der(0x31, der(0x30, Buffer.from("0603550403", "hex"), der(0x0c, Buffer.from("test")))));
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" });
  const content = der(0x30, der(0x02, Buffer.of(1)), algorithm, name, der(0x30, time(from), time(to)), name, publicKey);
  const signature = sign("sha256", content, createPrivateKey(key));
  const certificate = der(0x30, content, algorithm, der(0x03, Buffer.of(0), signature));
  const armour = (certificate.toString("base64").match(/.{1,64}/g) ?? []).join("\n");
  return `-----BEGIN CERTIFICATE-----\n${armour}\n-----END CERTIFICATE-----\n`;
}

function time(date: Date): Buffer {
  return der(0x18, Buffer.from(date.toISOString().replaceAll(/[-:T]|\.\d+/g, "")));
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content]);
  return Buffer.concat([Buffer.of(tag, 0x82, content.length >> 8, content.length & 0xff), content]);
}
