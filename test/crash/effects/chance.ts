import { createHash } from "node:crypto";

/** Between 0 and 1; the same for the same text. */
export function chance(text: string): number {
  return createHash("sha256").update(text).digest().readUInt32LE() / 2 ** 32;
}
