import { hash } from "node:crypto";
import { CHUNK_BYTES } from "./manifest.ts";

/** SHA-256, as bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}

let ofZeros: Uint8Array | undefined;

/** The SHA-256 of a whole chunk of zeros: two fifths of a usual image, which then need no hashing. */
export function zeroChunkDigest(): Uint8Array {
  ofZeros ??= sha256(Buffer.alloc(CHUNK_BYTES));
  return ofZeros;
}
