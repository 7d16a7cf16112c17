import { type KeyObject, sign, verify } from "node:crypto";

/**
 * Whether the public key verifies the private key's signatures. OpenSSL compares the public halves only, which a damaged private key still
 * has (X509_check_private_key(3)). Go refuses such a key, and with OpenSSL every handshake fails.
 */
export function belongTogether(key: KeyObject, publicKey: KeyObject): boolean {
  // Ed25519 and Ed448 do their own hashing (RFC 8032).
  const digest = key.asymmetricKeyType?.startsWith("ed") === true ? undefined : "sha256";
  const data = Buffer.from("belong together");
  try {
    return verify(digest, data, publicKey, sign(digest, data, key));
  } catch {
    return false;
  }
}
