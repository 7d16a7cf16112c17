import { createECDH, createPrivateKey, createPublicKey, type webcrypto } from "node:crypto";

/**
 * A private key as sshd can use it: understood to the last byte, not encrypted, and both halves belong together.
 * Of the private half nothing leaves the parser.
 */
export interface HostKey {
  readonly kind: "key";
  /** "ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa" … */
  readonly type: string;
  /** What the .pub file must hold. */
  readonly publicLine: string;
}

/** Why a text is no usable private key, in words that hold nothing of it. */
export interface UnusableKey {
  readonly kind: "unusable";
  readonly reason: string;
}

const BEGIN = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END = "-----END OPENSSH PRIVATE KEY-----";
const MAGIC = Buffer.from("openssh-key-v1\0");

/**
 * Reads a private key of sshd: the format "openssh-key-v1" (PROTOCOL.key of OpenSSH) that ssh-keygen writes, or the PEM
 * formats that it wrote before version 7.8, as a node of many years may still have them.
 *
 * No process is started: this runs at every boot. It computes the public half from the private one, so a single
 * flipped bit anywhere is found; sshd would start with such a key, and let nobody in.
 */
export function parseHostKey(text: string): HostKey | UnusableKey {
  if (text.trim() === "") return unusable("is empty");
  try {
    if (text.trimStart().startsWith(BEGIN)) return parseOpenssh(text);
    if (text.trimStart().startsWith("-----BEGIN ")) return parsePem(text);
    return unusable("is no private key");
  } catch (error) {
    if (error instanceof KeyError) return unusable(error.message);
    throw error;
  }
}

/** The type and base64 of a .pub file's first line, without its comment; `undefined` when it has none. */
export function publicKeyOf(line: string): string | undefined {
  const [type, blob] = line.trim().split(/\s+/);
  return type === undefined || blob === undefined ? undefined : `${type} ${blob}`;
}

class KeyError extends Error {}

function unusable(reason: string): UnusableKey {
  return { kind: "unusable", reason };
}

function parseOpenssh(text: string): HostKey {
  const end = text.indexOf(END);
  if (end === -1) throw new KeyError("is cut off");
  const base64 = text.slice(text.indexOf(BEGIN) + BEGIN.length, end).replaceAll(/\s/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new KeyError("is not base64 all through");
  const reader = new Reader(Buffer.from(base64, "base64"));
  if (!reader.bytes(MAGIC.length).equals(MAGIC)) throw new KeyError("does not begin as an OpenSSH key does");
  const cipher = reader.string().toString("latin1");
  const derivation = reader.string().toString("latin1");
  reader.string();
  if (cipher !== "none" || derivation !== "none") throw new KeyError("is encrypted with a passphrase, which nobody types at boot");
  if (reader.number() !== 1) throw new KeyError("does not hold exactly one key");
  const publicBlob = reader.string();
  const inner = new Reader(reader.string());
  reader.expectEnd();
  if (inner.number() !== inner.number()) throw new KeyError("has check numbers that differ");
  const type = inner.string().toString("latin1");
  const computed = publicBlobFrom(type, inner);
  const comment = inner.string().toString("utf8");
  inner.expectPadding();
  if (!computed.equals(publicBlob)) throw new KeyError("has two halves that do not belong together");
  return hostKey(type, publicBlob, comment);
}

/** Reads the private fields of one key (draft-miller-ssh-agent, 3.2) and computes the public blob (RFC 4253, 5656, 8709). */
function publicBlobFrom(type: string, fields: Reader): Buffer {
  if (type === "ssh-ed25519") {
    const stated = fields.string();
    const secret = fields.string();
    const computed = ed25519Public(secret.subarray(0, 32));
    if (!computed.equals(stated) || !computed.equals(secret.subarray(32))) throw new KeyError("has a private half that is damaged");
    return blob(type, computed);
  }
  const curve = CURVES.get(type);
  if (curve !== undefined) {
    const name = fields.string();
    fields.string();
    return blob(type, name, ecdsaPublic(curve.openssl, fields.string()));
  }
  if (type === "ssh-rsa") {
    const [n, e, , , p, q] = Array.from({ length: 6 }, () => fields.string());
    if (n === undefined || e === undefined || integer(p) * integer(q) !== integer(n))
      throw new KeyError("has a private half that is damaged");
    return blob(type, e, n);
  }
  throw new KeyError(`is of a type that is not known here (${JSON.stringify(type.slice(0, 40))})`);
}

const CURVES: ReadonlyMap<string, { readonly openssl: string; readonly jwk: string }> = new Map([
  ["ecdsa-sha2-nistp256", { openssl: "prime256v1", jwk: "P-256" }],
  ["ecdsa-sha2-nistp384", { openssl: "secp384r1", jwk: "P-384" }],
  ["ecdsa-sha2-nistp521", { openssl: "secp521r1", jwk: "P-521" }],
]);

/** RFC 8410, section 7: what stands before the 32 bytes of an Ed25519 private key in PKCS 8. */
const ED25519_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

function ed25519Public(seed: Buffer): Buffer {
  if (seed.length !== 32) throw new KeyError("has a private half of the wrong length");
  const key = createPrivateKey({ key: Buffer.concat([ED25519_PREFIX, seed]), format: "der", type: "pkcs8" });
  return Buffer.from(createPublicKey(key).export({ format: "jwk" }).x ?? "", "base64url");
}

function ecdsaPublic(curve: string, scalar: Buffer): Buffer {
  const ecdh = createECDH(curve);
  try {
    // An mpint has a leading zero where its first bit is set (RFC 4251, section 5).
    ecdh.setPrivateKey(scalar[0] === 0 ? scalar.subarray(1) : scalar);
  } catch {
    throw new KeyError("has a private half that is damaged");
  }
  return ecdh.getPublicKey();
}

function parsePem(text: string): HostKey {
  if (/ENCRYPTED/.test(text)) throw new KeyError("is encrypted with a passphrase, which nobody types at boot");
  let jwk: webcrypto.JsonWebKey;
  try {
    jwk = createPublicKey(createPrivateKey(text)).export({ format: "jwk" });
  } catch {
    throw new KeyError("is a damaged PEM file");
  }
  const part = (value: string | undefined): Buffer => Buffer.from(value ?? "", "base64url");
  if (jwk.kty === "RSA") return hostKey("ssh-rsa", blob("ssh-rsa", mpint(part(jwk.e)), mpint(part(jwk.n))), "");
  if (jwk.crv === "Ed25519") return hostKey("ssh-ed25519", blob("ssh-ed25519", part(jwk.x)), "");
  const type = [...CURVES].find(([, curve]) => curve.jwk === jwk.crv)?.[0];
  if (type === undefined) throw new KeyError(`is of a type that sshd does not know (${jwk.crv ?? jwk.kty})`);
  const point = Buffer.concat([Buffer.of(4), part(jwk.x), part(jwk.y)]);
  return hostKey(type, blob(type, Buffer.from(type.slice(type.lastIndexOf("-") + 1)), point), "");
}

function hostKey(type: string, publicBlob: Buffer, comment: string): HostKey {
  // A comment is one line of printable text, or it could smuggle a second line into the .pub file.
  const words = /^[\x20-\x7e]+$/.test(comment) ? ` ${comment}` : "";
  return { kind: "key", type, publicLine: `${type} ${publicBlob.toString("base64")}${words}\n` };
}

function blob(...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

function mpint(bytes: Buffer): Buffer {
  return bytes[0] !== undefined && bytes[0] >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes;
}

function integer(bytes: Buffer | undefined): bigint {
  return BigInt(`0x0${bytes?.toString("hex") ?? ""}`);
}

/** Reads SSH's wire format (RFC 4251, section 5) and refuses to read beyond its end. */
class Reader {
  readonly #data: Buffer;
  #position = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  bytes(length: number): Buffer {
    const end = this.#position + length;
    if (end > this.#data.length) throw new KeyError("is cut off");
    const part = this.#data.subarray(this.#position, end);
    this.#position = end;
    return part;
  }

  number(): number {
    return this.bytes(4).readUInt32BE();
  }

  string(): Buffer {
    return this.bytes(this.number());
  }

  expectEnd(): void {
    if (this.#position !== this.#data.length) throw new KeyError("has bytes after its end");
  }

  /** The bytes 1, 2, 3 … fill the private part up to the cipher's block size. */
  expectPadding(): void {
    const padding = this.#data.subarray(this.#position);
    if (padding.length > 255 || padding.some((byte, index) => byte !== index + 1)) throw new KeyError("has wrong padding");
  }
}
