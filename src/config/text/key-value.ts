import { type Finding, refuseFindings } from "../../base/finding.ts";
import { perhaps } from "../../base/nearest.ts";
import { quoted } from "../../base/quoted.ts";
import { textLines, type TextLine } from "./text-lines.ts";

/** One `key=value` line. The value is data: no part of it is ever expanded or run. */
export interface Entry {
  readonly key: string;
  /** Without surrounding blanks, and without one pair of quotes around the whole value. */
  readonly value: string;
  readonly line: number;
  /** Where the value begins. */
  readonly column: number;
}

/** The names that a shell could assign to, because these files were once read with one. */
const KEY = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Reads `key=value` lines; blank lines and lines that begin with `#` are skipped.
 *
 * @param known the keys that exist; without it every key is accepted
 * @param repeatable keys that may occur more than once, each time with another value
 * @returns the good entries in their order, and every mistake: no `=`, an invalid, unknown or repeated key, control characters, bytes that
 *   are not UTF-8
 * @throws ProblemError when the file is too long
 */
export function scanKeyValue(
  content: Uint8Array,
  file: string,
  known?: readonly string[],
  repeatable: readonly string[] = [],
): { readonly entries: readonly Entry[]; readonly findings: readonly Finding[] } {
  const { lines, findings: bad } = textLines(content, file);
  const findings = [...bad];
  const entries: Entry[] = [];
  const seen = new Map<string, Entry>();
  for (const line of lines) {
    const entry = parseLine(line, known);
    if (entry === undefined) continue;
    if ("what" in entry) {
      findings.push(entry);
      continue;
    }
    const earlier = repeatable.includes(entry.key) ? undefined : seen.get(entry.key);
    if (earlier === undefined) {
      entries.push(entry);
      seen.set(entry.key, entry);
    } else {
      const found = `${entry.key} in line ${earlier.line} and again in line ${entry.line}`;
      findings.push({ line: entry.line, column: 1, code: "key-twice", what: "a key occurs twice", found, expected: "each key once" });
    }
  }
  return { entries, findings };
}

/** As `scanKeyValue`, but every mistake is an error. @throws ProblemError that names all of them */
export function parseKeyValue(content: Uint8Array, file: string, known?: readonly string[]): readonly Entry[] {
  const { entries, findings } = scanKeyValue(content, file, known);
  refuseFindings(file, findings);
  return entries;
}

function parseLine({ text, number: line }: TextLine, known: readonly string[] | undefined): Entry | Finding | undefined {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed.startsWith("#")) return undefined;
  const start = text.length - text.trimStart().length;
  const equals = text.indexOf("=");
  const key = equals === -1 ? trimmed : text.slice(start, equals);
  const at = { line, column: start + 1 };
  // Only the first word is shown. It is enough to find the line, and some of these files hold passwords.
  if (equals === -1)
    return {
      ...at,
      code: "line-without-equals",
      what: "a line has no =",
      found: quoted(trimmed.replace(/ .*$/s, "")),
      expected: "key=value, or a comment that begins with #",
    };
  if (!KEY.test(key))
    return {
      ...at,
      code: "line-without-key",
      what: "a line does not begin with a key",
      found: quoted(key),
      expected: "letters, digits and _, and then = without a blank",
    };
  if (known !== undefined && !known.includes(key)) {
    return {
      ...at,
      code: "unknown-key",
      what: "there is no such key",
      found: quoted(key),
      expected: perhaps(key, known),
    };
  }
  const raw = text.slice(equals + 1).trim();
  const blanks = text.length - equals - 1 - text.slice(equals + 1).trimStart().length;
  const unquoted = /^(["'])(.*)\1$/s.exec(raw)?.[2];
  const column = raw === "" ? equals + 2 : equals + 2 + blanks + (unquoted === undefined ? 0 : 1);
  return { key, value: (unquoted ?? raw).trim(), line, column };
}
