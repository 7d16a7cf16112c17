import { ProblemError } from "../base/problem.ts";
import { Secret } from "../base/secret.ts";

/** With memory-hard stretching, this is out of reach of guessing unless it is a known phrase. */
const SHORTEST = 16;
/** cryptsetup(8): input at its prompt is cut off after 512 characters. */
const LONGEST = 512;
const FEWEST_DIFFERENT = 8;

/**
 * A passphrase that a person types, also at cryptsetup's own prompt on a serial console with a foreign keyboard: printable ASCII only.
 * Messages do not show any of the input.
 *
 * @param bytes without the end of the line
 * @throws ProblemError
 */
export function recoveryPassphrase(bytes: Uint8Array): Secret {
  const refused = (found: string, expected: string): ProblemError =>
    new ProblemError({
      code: "passphrase-not-usable",
      what: "this recovery passphrase is not accepted; nothing was changed",
      found,
      expected,
      todo: "use six or more random words, or 20 random characters",
    });
  if (bytes.length < SHORTEST || bytes.length > LONGEST) {
    throw refused(bytes.length < SHORTEST ? "too few characters" : "too many characters", `${SHORTEST} to ${LONGEST} characters`);
  }
  if (bytes.some((byte) => byte < 0x20 || byte > 0x7e)) {
    throw refused("a character that is not printable ASCII", "letters, digits, blanks and signs of ASCII");
  }
  if (new Set(bytes).size < FEWEST_DIFFERENT) throw refused("too few different characters", `at least ${FEWEST_DIFFERENT} different ones`);
  return new Secret(bytes);
}
