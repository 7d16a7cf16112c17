import { foreignWords } from "../../base/foreign-words.ts";
import { createPrivateKey, type KeyObject, type webcrypto } from "node:crypto";
import { Secret } from "../../base/secret.ts";
import { pemBlock } from "./pem.ts";
import { fieldsOfJwk, KeyError, type PrivateFields, readPrivateFields } from "./ssh-private-fields.ts";
import { uint32, WireError, WireReader, wireStrings } from "./ssh-wire.ts";

/** A private key that was parsed to the last byte, is not encrypted, and whose halves belong together. */
export interface HostKey {
  readonly kind: "key";
  /** "ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa" … */
  readonly type: string;
  /** The required content of the .pub file. */
  readonly publicLine: string;
  /**
   * Whether the file is, to the byte, as OpenSSH writes that key, so that sshd certainly reads it. Where it is not, sshd decides. It
   * requires `-----BEGIN` at the very beginning, a line feed and no carriage return behind it, and a line feed behind the last line. It
   * reads Ed25519 in no other format than its own (sshkey.c, private2_uudecode and sshkey_parse_private_fileblob_type).
   */
  readonly isCanonical: boolean;
  /** The same key as ssh-keygen writes it. */
  readonly canonical: Secret;
}

/** A file without a usable key. The reason shows no part of it. */
export interface NoKey {
  /** "unusable": no program can read a key from it. "unknown": it is not understood here, but sshd may read it. */
  readonly kind: "unusable" | "unknown";
  readonly reason: string;
}

const BEGIN = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END = "-----END OPENSSH PRIVATE KEY-----";
const MAGIC = Buffer.from("openssh-key-v1\0");

/**
 * Reads a private key of sshd. ssh-keygen writes the format "openssh-key-v1" (PROTOCOL.key of OpenSSH). Before version 7.8 it wrote PEM
 * formats, which an old node may still have. Blanks, a byte order mark and text around the key are accepted here, because the key is then
 * not canonical.
 *
 * No process is started: this runs at every boot. It computes the public half from the private one, so a single flipped bit anywhere is
 * found. With such a key sshd would start, and let no one in.
 */
export function parseHostKey(text: string): HostKey | NoKey {
  if (text.trim() === "") return { kind: "unusable", reason: "is empty" };
  try {
    if (text.includes(BEGIN)) return parseOpenssh(text);
    if (text.includes("-----BEGIN ")) return parsePem(text);
    return { kind: "unknown", reason: "is no private key" };
  } catch (error) {
    if (error instanceof KeyError) return { kind: error.certain ? "unusable" : "unknown", reason: foreignWords(error) };
    if (error instanceof WireError) return { kind: "unknown", reason: foreignWords(error) };
    throw error;
  }
}

/** The type and base64 of a .pub file's first line, without its comment; `undefined` when it has none. */
export function publicKeyOf(line: string): string | undefined {
  const [type, blob] = line.trim().split(/\s+/);
  return type === undefined || blob === undefined ? undefined : `${type} ${blob}`;
}

function passphrase(): KeyError {
  return new KeyError("is encrypted with a passphrase, which no one types at boot", { certain: true });
}

function parseOpenssh(text: string): HostKey {
  const end = text.indexOf(END);
  if (end === -1) throw new KeyError("is cut off");
  const base64 = text.slice(text.indexOf(BEGIN) + BEGIN.length, end).replaceAll(/\s/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new KeyError("is not valid base64");
  const reader = new WireReader(Buffer.from(base64, "base64"));
  if (!reader.bytes(MAGIC.length).equals(MAGIC)) throw new KeyError("does not begin as an OpenSSH key does");
  const cipher = reader.string().toString("latin1");
  const derivation = reader.string().toString("latin1");
  reader.string();
  if (cipher !== "none" || derivation !== "none") throw passphrase();
  if (reader.number() !== 1) throw new KeyError("does not hold exactly one key");
  const publicBlob = reader.string();
  const inner = new WireReader(reader.string());
  if (reader.rest.length > 0) throw new KeyError("has bytes after its end");
  const check = inner.number();
  if (check !== inner.number()) throw new KeyError("has check numbers that differ");
  const key = readPrivateFields(inner.string().toString("latin1"), inner);
  const comment = inner.string();
  // The bytes 1, 2, 3 … fill the private part up to the cipher's block size.
  if (inner.rest.length > 255 || inner.rest.some((byte, index) => byte !== index + 1)) throw new KeyError("has wrong padding");
  if (!key.publicBlob.equals(publicBlob)) throw new KeyError("has two halves that do not belong together", { certain: true });
  // A C string: OpenSSH refuses a zero byte in it (sshbuf-getput-basic.c, sshbuf_get_cstring).
  const canonical = armour(key, check, comment.includes(0) ? Buffer.alloc(0) : comment);
  return hostKey(key, { comment: comment.toString("utf8"), isCanonical: canonical === text, canonical });
}

const FORMATS = new Map([
  ["PRIVATE KEY", "pkcs8"],
  ["EC PRIVATE KEY", "sec1"],
  ["RSA PRIVATE KEY", "pkcs1"],
] as const);

function parsePem(text: string): HostKey {
  if (text.includes("ENCRYPTED")) throw passphrase();
  const [label, format] = [...FORMATS].find(([name]) => text.includes(`-----BEGIN ${name}-----`)) ?? [];
  const block = label === undefined ? undefined : pemBlock(text, label);
  if (format === undefined || block === undefined) throw new KeyError("is a damaged PEM file");
  const key = keyObject(block);
  const fields = fieldsOfJwk(exported(key));
  const isCanonical = fields.type !== "ssh-ed25519" && key.export({ format: "pem", type: format }) === text;
  return hostKey(fields, { comment: "", isCanonical, canonical: isCanonical ? text : armour(fields, 0, Buffer.alloc(0)) });
}

function keyObject(block: string): KeyObject {
  try {
    return createPrivateKey(block);
  } catch {
    throw new KeyError("is a damaged PEM file");
  }
}

function exported(key: KeyObject): webcrypto.JsonWebKey {
  try {
    return key.export({ format: "jwk" });
  } catch {
    throw new KeyError(`is of a type that is not known here (${key.asymmetricKeyType})`);
  }
}

/** The key file as sshkey_private_to_blob2 of OpenSSH writes it, without a passphrase. */
function armour({ type, publicBlob, fields }: PrivateFields, check: number, comment: Buffer): string {
  const inner = Buffer.concat([uint32(check), uint32(check), wireStrings(type), fields, wireStrings(comment)]);
  const padding = Array.from({ length: (BLOCK - (inner.length % BLOCK)) % BLOCK }, (_, index) => index + 1);
  const section = Buffer.concat([inner, Buffer.from(padding)]);
  const bytes = Buffer.concat([MAGIC, wireStrings("none", "none", ""), uint32(1), wireStrings(publicBlob, section)]);
  return `${BEGIN}\n${bytes.toString("base64").replaceAll(/.{1,70}/g, "$&\n")}${END}\n`;
}

/** Bytes: the block size of the cipher "none" (cipher.c of OpenSSH). */
const BLOCK = 8;

function hostKey(
  { type, publicBlob }: PrivateFields,
  { comment, isCanonical, canonical }: { readonly comment: string; readonly isCanonical: boolean; readonly canonical: string },
): HostKey {
  // A comment is one line of printable text, or it could smuggle a second line into the .pub file.
  const words = /^[\x20-\x7e]+$/.test(comment) ? ` ${comment}` : "";
  const publicLine = `${type} ${publicBlob.toString("base64")}${words}\n`;
  return { kind: "key", type, publicLine, isCanonical, canonical: new Secret(Buffer.from(canonical)) };
}
