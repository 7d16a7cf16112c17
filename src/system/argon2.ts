import { Secret } from "../base/secret.ts";

export interface Argon2Parameters {
  /** At least 8 bytes; RFC 9106 recommends 16. */
  readonly salt: Uint8Array;
  /** Memory in KiB, at least 8 for each lane. */
  readonly memoryKiB: number;
  /** Passes over the memory. */
  readonly passes: number;
  /** Lanes, each computed by a thread. */
  readonly parallelism: number;
  /** Bytes to derive. */
  readonly length: number;
}

/**
 * Derives a key by argon2id, version 0x13 (RFC 9106).
 *
 * The native addon is loaded with the first call: most boots find their keys derived and never need it. In the single executable, the build
 * replaces the package's own loader by ./embedded-addon.ts.
 *
 * @throws RangeError or Error when a parameter is outside the limits of RFC 9106, section 3.1
 */
export async function argon2id(secret: Secret, parameters: Argon2Parameters): Promise<Secret> {
  const argon2 = await import("argon2");
  const derived = await argon2.hash(Buffer.from(secret.expose()), {
    type: argon2.argon2id,
    version: 0x13,
    salt: Buffer.from(parameters.salt),
    memoryCost: parameters.memoryKiB,
    timeCost: parameters.passes,
    parallelism: parameters.parallelism,
    hashLength: parameters.length,
    raw: true,
  });
  return new Secret(derived);
}
