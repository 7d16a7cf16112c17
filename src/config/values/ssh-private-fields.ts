import { createECDH, createPrivateKey, createPublicKey, type webcrypto } from "node:crypto";
import { CURVES, SMALLEST_RSA } from "./ssh-public-key.ts";
import { bitLength, integer, mpint, type WireReader, wireStrings } from "./ssh-wire.ts";

/** A private key whose halves belong together, in the encoding of ssh-keygen. */
export interface PrivateFields {
  /** "ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa" … */
  readonly type: string;
  /** As in the .pub file (RFC 4253, 5656, 8709). */
  readonly publicBlob: Buffer;
  /** The bytes that follow the type in the private section (draft-miller-ssh-agent, 3.2). Secret. */
  readonly fields: Buffer;
}

/** Why a key cannot be read. `certain`: no program can read a key from it; otherwise it is only not understood here. */
export class KeyError extends Error {
  readonly certain: boolean;

  constructor(message: string, { certain }: { readonly certain: boolean } = { certain: false }) {
    super(message);
    this.certain = certain;
  }
}

/** Damage that sshd does not check for: it would start with such a key, and let no one in. */
function damaged(): KeyError {
  return new KeyError("has a private half that is damaged", { certain: true });
}

/** @throws KeyError, WireError */
export function readPrivateFields(type: string, from: WireReader): PrivateFields {
  if (type === "ssh-ed25519") {
    const [stated, secret] = [from.string(), from.string()];
    if (secret.length !== 64) throw new KeyError("has a private half of the wrong length");
    const key = ed25519(secret.subarray(0, 32));
    if (!key.fields.equals(wireStrings(stated, secret))) throw damaged();
    return key;
  }
  const curve = CURVES.get(type);
  if (curve !== undefined) {
    const [name, point] = [from.string().toString("latin1"), from.string()];
    const key = ecdsa(type, from.positive());
    if (!key.publicBlob.equals(wireStrings(type, name, point))) throw damaged();
    return key;
  }
  if (type === "ssh-rsa") {
    const [n, e, d, iqmp] = [from.positive(), from.positive(), from.positive(), from.positive()];
    return rsa({ n, e, d, iqmp, p: from.positive(), q: from.positive() });
  }
  throw new KeyError(`is of a type that is not known here (${JSON.stringify(type.slice(0, 40))})`);
}

/** As `readPrivateFields`, for a key that OpenSSL has read. @throws KeyError */
export function fieldsOfJwk(jwk: webcrypto.JsonWebKey): PrivateFields {
  const part = (value: string | undefined): Buffer => Buffer.from(value ?? "", "base64url");
  if (jwk.kty === "RSA") return rsa({ n: part(jwk.n), e: part(jwk.e), d: part(jwk.d), iqmp: part(jwk.qi), p: part(jwk.p), q: part(jwk.q) });
  if (jwk.crv === "Ed25519") return ed25519(part(jwk.d));
  const [type, curve] = [...CURVES].find(([, { jwk: name }]) => name === jwk.crv) ?? [];
  if (type === undefined || curve === undefined) throw new KeyError(`is of a type that sshd does not know (${jwk.crv ?? jwk.kty})`);
  const key = ecdsa(type, part(jwk.d));
  if (!key.publicBlob.equals(wireStrings(type, curve.name, Buffer.concat([Buffer.of(4), part(jwk.x), part(jwk.y)])))) throw damaged();
  return key;
}

/** RFC 8410, section 7: the bytes before the 32 bytes of an Ed25519 private key in PKCS 8. */
const ED25519_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

function ed25519(seed: Buffer): PrivateFields {
  const type = "ssh-ed25519";
  const key = createPrivateKey({ key: Buffer.concat([ED25519_PREFIX, seed]), format: "der", type: "pkcs8" });
  const point = Buffer.from(createPublicKey(key).export({ format: "jwk" }).x ?? "", "base64url");
  return { type, publicBlob: wireStrings(type, point), fields: wireStrings(point, Buffer.concat([seed, point])) };
}

function ecdsa(type: string, scalar: Buffer): PrivateFields {
  const curve = CURVES.get(type);
  // sshkey.c of OpenSSH, sshkey_ec_validate_private: more than half of the bits of the group's order.
  if (curve === undefined || bitLength(scalar) <= curve.bits / 2) throw damaged();
  const ecdh = createECDH(curve.openssl);
  try {
    ecdh.setPrivateKey(scalar);
  } catch {
    throw damaged();
  }
  const point = ecdh.getPublicKey();
  return { type, publicBlob: wireStrings(type, curve.name, point), fields: wireStrings(curve.name, point, mpint(scalar)) };
}

interface RsaNumbers {
  readonly n: Buffer;
  readonly e: Buffer;
  readonly d: Buffer;
  readonly iqmp: Buffer;
  readonly p: Buffer;
  readonly q: Buffer;
}

function rsa({ n, e, d, iqmp, p, q }: RsaNumbers): PrivateFields {
  const type = "ssh-rsa";
  if (bitLength(n) < SMALLEST_RSA) throw new KeyError(`has less than the ${SMALLEST_RSA} bits that sshd asks of an RSA key`);
  if (!isConsistent(...[n, e, d, iqmp, p, q].map(integer))) throw damaged();
  return { type, publicBlob: wireStrings(type, mpint(e), mpint(n)), fields: wireStrings(...[n, e, d, iqmp, p, q].map(mpint)) };
}

/** RFC 8017, section 3.2. OpenSSH reads a key that breaks this, and OpenSSL then does not sign with it. */
function isConsistent(n = 0n, e = 0n, d = 0n, iqmp = 0n, p = 0n, q = 0n): boolean {
  if (p <= 1n || q <= 1n || p * q !== n) return false;
  return (e * d) % (p - 1n) === 1n && (e * d) % (q - 1n) === 1n && (iqmp * q) % p === 1n;
}
