import { hash } from "node:crypto";
import { CHUNK_BYTES } from "./manifest.ts";

let ofZeros: Uint8Array | undefined;

/** The SHA-256 of a whole chunk of zeros. Two fifths of a usual image are such chunks, which then need no hashing. */
export function zeroChunkDigest(): Uint8Array {
  ofZeros ??= hash("sha256", Buffer.alloc(CHUNK_BYTES), "buffer");
  return ofZeros;
}
