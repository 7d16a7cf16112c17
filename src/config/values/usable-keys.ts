import { type Problem, ProblemError } from "../../base/problem.ts";
import { type AuthorizedKey, parseAuthorizedKeys } from "./authorized-keys.ts";

export interface UsableKeys {
  /** An authorized_keys file, made of the parsed keys: sshd gets no line that it could understand differently. */
  readonly text: string;
  /** Of the keys in it. */
  readonly count: number;
  /** What is wrong with the lines that are no keys. */
  readonly problem: Problem | undefined;
}

/**
 * All usable keys of an authorized_keys file, and what is wrong with the rest. One damaged line must not lock out the owners of the other
 * keys. Unreadable bytes in a comment must not lock out even the owner of that key.
 */
export function usableKeys(content: Uint8Array, file: string): UsableKeys {
  const { keys, problem } = readableKeys(content, file);
  return { text: keys.map(keyLine).join(""), count: keys.length, problem };
}

function readableKeys(
  content: Uint8Array,
  file: string,
): { readonly keys: readonly AuthorizedKey[]; readonly problem: Problem | undefined } {
  try {
    return { keys: parseAuthorizedKeys(content, file), problem: undefined };
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    // A comment may have any bytes. In any other field the tilde makes the line invalid.
    const keys = Buffer.from(content)
      .toString("latin1")
      .replace(/^\xef\xbb\xbf/, "")
      .split(/\r?\n/)
      .flatMap((line) => readableLine(line.replaceAll(/[^\t\x20-\x7e]/g, "~"), file));
    return { keys, problem: error.problem };
  }
}

function readableLine(line: string, file: string): readonly AuthorizedKey[] {
  try {
    return parseAuthorizedKeys(Buffer.from(line), file);
  } catch (error) {
    if (error instanceof ProblemError) return [];
    throw error;
  }
}

function keyLine({ options, type, blob, comment }: AuthorizedKey): string {
  return `${[options.join(","), type, blob, comment].filter((field) => field !== "").join(" ")}\n`;
}
