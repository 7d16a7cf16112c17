import { generateKeyPairSync, type webcrypto } from "node:crypto";
import { mpint as encoded, wireStrings as strings } from "../../src/config/values/ssh-wire.ts";
import type { HostKeyType } from "../../src/system/ssh-keygen.ts";
import { canary } from "./canaries.ts";

export interface MadeKey {
  readonly text: string;
  readonly publicLine: string;
}

export interface KeyShape {
  readonly cipher?: string;
  readonly comment?: string;
  /** Bytes; as many as fill a block when absent. */
  readonly padding?: number;
  /** Changes the decoded bytes before they are armoured. */
  readonly damage?: (bytes: Buffer) => Buffer;
}

/** A new host key as ssh-keygen writes it (PROTOCOL.key of OpenSSH), made in memory so that no key has to lie in the repository. */
export function makeHostKey(
  type: HostKeyType,
  { cipher = "none", comment = "guestos", padding, damage = (bytes) => bytes }: KeyShape = {},
): MadeKey {
  const { name, publicFields, privateFields } = FIELDS[type]();
  const publicBlob = strings(name, ...publicFields);
  const check = Buffer.from("0102030401020304", "hex");
  const fields = Buffer.concat([check, strings(name, ...privateFields, comment)]);
  const filling = Buffer.from(Array.from({ length: padding ?? (8 - (fields.length % 8)) % 8 }, (_, index) => index + 1));
  const bytes = damage(
    Buffer.concat([
      Buffer.from("openssh-key-v1\0"),
      strings(cipher, "none", ""),
      Buffer.from("00000001", "hex"),
      strings(publicBlob, Buffer.concat([fields, filling])),
    ]),
  );
  const armour = (bytes.toString("base64").match(/.{1,70}/g) ?? []).join("\n");
  return {
    text: canary("a host key", `-----BEGIN OPENSSH PRIVATE KEY-----\n${armour}\n-----END OPENSSH PRIVATE KEY-----\n`),
    publicLine: `${name} ${publicBlob.toString("base64")} ${comment}\n`,
  };
}

interface Fields {
  readonly name: string;
  readonly publicFields: readonly (string | Buffer)[];
  readonly privateFields: readonly (string | Buffer)[];
}

const FIELDS: Record<HostKeyType, () => Fields> = {
  ed25519() {
    const { x, d } = jwk(generateKeyPairSync("ed25519"));
    return { name: "ssh-ed25519", publicFields: [part(x)], privateFields: [part(x), Buffer.concat([part(d), part(x)])] };
  },
  ecdsa() {
    const { x, y, d } = jwk(generateKeyPairSync("ec", { namedCurve: "P-256" }));
    const point = Buffer.concat([Buffer.of(4), part(x), part(y)]);
    return { name: "ecdsa-sha2-nistp256", publicFields: ["nistp256", point], privateFields: ["nistp256", point, mpint(d)] };
  },
  rsa() {
    const { n, e, d, qi, p, q } = jwk(generateKeyPairSync("rsa", { modulusLength: 1024 }));
    return { name: "ssh-rsa", publicFields: [mpint(e), mpint(n)], privateFields: [n, e, d, qi, p, q].map(mpint) };
  },
};

function jwk(pair: {
  readonly privateKey: { export: (options: { readonly format: "jwk" }) => webcrypto.JsonWebKey };
}): webcrypto.JsonWebKey {
  return pair.privateKey.export({ format: "jwk" });
}

function mpint(value: string | undefined): Buffer {
  return encoded(part(value));
}

function part(value: string | undefined): Buffer {
  return Buffer.from(value ?? "", "base64url");
}
