import { foreignWords } from "../../base/foreign-words.ts";
import { ECDH } from "node:crypto";
import { shownText } from "../text/shown-text.ts";
import { bitLength, WireError, WireReader } from "./ssh-wire.ts";

interface Curve {
  /** SSH's name for it (RFC 5656, section 6.1). */
  readonly name: string;
  readonly openssl: string;
  readonly jwk: string;
  /** Of the group's order. */
  readonly bits: number;
}

/** The curves of ECDSA, by key type. */
export const CURVES: ReadonlyMap<string, Curve> = new Map([
  ["ecdsa-sha2-nistp256", { name: "nistp256", openssl: "prime256v1", jwk: "P-256", bits: 256 }],
  ["ecdsa-sha2-nistp384", { name: "nistp384", openssl: "secp384r1", jwk: "P-384", bits: 384 }],
  ["ecdsa-sha2-nistp521", { name: "nistp521", openssl: "secp521r1", jwk: "P-521", bits: 521 }],
]);

/** sshkey.h of OpenSSH, SSH_RSA_MINIMUM_MODULUS_SIZE, which is also sshd's default minimum (sshd_config(5), RequiredRSASize). */
export const SMALLEST_RSA = 1024;

/** Reads the fields that follow the type in a blob; throws a sentence that follows "the key". */
type ReadFields = (from: WireReader) => void;

/** By type (RFC 4253 6.6, RFC 5656 3.1, RFC 8709 4, OpenSSH's PROTOCOL.u2f). */
const TYPES: ReadonlyMap<string, ReadFields> = new Map<string, ReadFields>([
  ["ssh-ed25519", ed25519],
  ["ssh-rsa", rsa],
  ...[...CURVES].map(([type, curve]): [string, ReadFields] => [type, (from) => ecdsa(from, curve)]),
  ["sk-ssh-ed25519@openssh.com", (from) => application(from, ed25519)],
  ["sk-ecdsa-sha2-nistp256@openssh.com", (from) => application(from, (fields) => ecdsa(fields, CURVES.get("ecdsa-sha2-nistp256")))],
]);

/** All known types. */
export const PUBLIC_KEY_TYPES: readonly string[] = [...TYPES.keys()];

/**
 * Why sshd would refuse a blob as a public key of that type: sshkey.c of OpenSSH, sshkey_from_blob, and the functions deserialize_public of
 * ssh-ed25519.c, ssh-ecdsa.c and ssh-rsa.c. `undefined` when it accepts it.
 */
export function publicBlobFault(type: string, blob: Uint8Array): string | undefined {
  try {
    const reader = new WireReader(blob);
    const inner = reader.string().toString("latin1");
    if (inner !== type) return `is of the type ${shownText(inner)}`;
    TYPES.get(type)?.(reader);
    return reader.rest.length === 0 ? undefined : "has bytes after its end";
  } catch (error) {
    if (error instanceof WireError) return foreignWords(error);
    throw error;
  }
}

function ed25519(from: WireReader): void {
  const { length } = from.string();
  if (length !== 32) throw new WireError(`has ${length} bytes in place of 32`);
}

function rsa(from: WireReader): void {
  from.positive();
  const bits = bitLength(from.positive());
  if (bits < SMALLEST_RSA) throw new WireError(`has ${bits} bits, and sshd takes none below ${SMALLEST_RSA}`);
}

function ecdsa(from: WireReader, curve: Curve | undefined): void {
  const name = from.string().toString("latin1");
  if (name !== curve?.name) throw new WireError(`is on the curve ${JSON.stringify(name.slice(0, 40))}`);
  const point = from.string();
  try {
    // sshd accepts only uncompressed points (sshbuf-getput-crypto.c, get_ec).
    if (point[0] !== 4) throw new Error("a compressed point");
    ECDH.convertKey(point, curve.openssl);
  } catch {
    throw new WireError(`has no point of the curve ${name}`);
  }
}

/** A key of a token names its application, in a C string (PROTOCOL.u2f). */
function application(from: WireReader, key: ReadFields): void {
  key(from);
  // sshbuf-getput-basic.c, sshbuf_get_cstring: only at the end.
  if (from.string().subarray(0, -1).includes(0)) throw new WireError("has a zero byte in the name of its application");
}
