import { isUtf8 } from "node:buffer";
import { ProblemError } from "../../base/problem.ts";
import type { Finding } from "../../base/finding.ts";
import { quoted } from "../../base/quoted.ts";

/** Bytes, for every injected text file: three orders of magnitude above any real one, and little for a node's memory. */
export const LONGEST_TEXT = 64 * 1024;

export interface TextLine {
  readonly text: string;
  /** Counts from 1. */
  readonly number: number;
}

/**
 * The lines of a small text file from outside. Lines with bytes that are not UTF-8 or with control characters are findings, and are left
 * out of the result. `tabs`: whether a tab is allowed like a blank. `longest`: bytes; the default is 64 KiB.
 *
 * @throws ProblemError when the file is longer
 */
export function textLines(
  content: Uint8Array,
  file: string,
  { tabs, longest = LONGEST_TEXT }: { readonly tabs: boolean; readonly longest?: number } = { tabs: false },
): { readonly lines: readonly TextLine[]; readonly findings: readonly Finding[] } {
  requireLength(content, file, longest);
  const lines: TextLine[] = [];
  const findings: Finding[] = [];
  for (const [index, bytes] of split(content).entries()) {
    const number = index + 1;
    const text = Buffer.from(bytes).toString("utf8");
    const finding = isUtf8(bytes) ? controlCharacter(text, number, tabs) : notUtf8(text, number);
    if (finding === undefined) lines.push({ text, number });
    else findings.push(finding);
  }
  return { lines, findings };
}

/** The place of a character of a text. */
export function placeAt(text: string, offset: number): Pick<Finding, "line" | "column"> {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** @throws ProblemError when the content of a file has more bytes than `longest` */
export function requireLength(content: Uint8Array, file: string, longest: number): void {
  if (content.length <= longest) return;
  throw new ProblemError({
    code: "file-too-long",
    what: "the file is too long",
    where: { file },
    found: `${content.length} bytes`,
    expected: `at most ${longest} bytes`,
  });
}

function split(content: Uint8Array): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start <= content.length;) {
    const end = content.indexOf(0x0a, start);
    lines.push(content.subarray(start, end === -1 ? content.length : end));
    if (end === -1) break;
    start = end + 1;
  }
  return lines;
}

function notUtf8(text: string, line: number): Finding {
  // The decoder puts the replacement character in the place of the first wrong byte.
  return {
    line,
    column: text.indexOf("\ufffd") + 1,
    code: "line-not-text",
    what: "a line is not text",
    found: "bytes that are not UTF-8",
    expected: "UTF-8",
  };
}

function controlCharacter(text: string, line: number, tabs: boolean): Finding | undefined {
  // C0, DEL and C1, line and paragraph separators, and characters that change the writing direction: none is ever part of a value.
  const at = text.search(
    tabs ? /[\0-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/ : /[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/,
  );
  if (at === -1) return undefined;
  const character = text.charAt(at);
  const expected = character === "\r" && at === text.length - 1 ? "Unix line ends (no carriage returns)" : "printable characters";
  return { line, column: at + 1, code: "control-character", what: "a line has a control character", found: quoted(character), expected };
}
