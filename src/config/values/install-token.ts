import { createHash } from "node:crypto";

/** Digits that are not taken for each other (Crockford's base 32): no I, L, O, U. */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 8;

/**
 * A token for replacing what is installed: 40 bits of a digest of it, so that it fits what is there now, and nothing else. A person types it;
 * it protects against a mistake, and not against an enemy.
 *
 * @param traces what is installed, in words that change when it does. Their order does not matter
 */
export function installToken(traces: readonly string[]): string {
  const digest = createHash("sha256").update(JSON.stringify(traces.toSorted())).digest();
  const digits = Array.from({ length: LENGTH }, (_, at) => DIGITS[digest.readUInt8(at) % DIGITS.length]);
  return grouped(digits.join(""));
}

/** As it was typed, in its canonical form: "7KQ2-M9XD". Small letters, blanks and hyphens do not matter. @returns `undefined` when it is none */
export function readInstallToken(value: string): string | undefined {
  const digits = value.toUpperCase().replaceAll(/[\s-]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  return digits.length === LENGTH && [...digits].every((digit) => DIGITS.includes(digit)) ? grouped(digits) : undefined;
}

function grouped(digits: string): string {
  return `${digits.slice(0, LENGTH / 2)}-${digits.slice(LENGTH / 2)}`;
}
