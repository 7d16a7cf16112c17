import { type Finding, refuseFindings } from "../../base/finding.ts";
import { LONGEST_TEXT, requireLength } from "./text-lines.ts";

const RETURN = 0x0d;
const FEED = 0x0a;
const BYTE_ORDER_MARK = Buffer.from("\ufeff");

/** The mistake of a file that begins with such a mark: most programs read it as a part of the first line. */
export const MARK_FINDING: Finding = {
  ...{ line: 1, column: 1 },
  code: "byte-order-mark",
  what: "the file begins with a byte order mark",
  found: "EF BB BF, which most editors do not show",
  expected: "the first line",
  todo: 'save it again as "UTF-8", and not as "UTF-8 with BOM": the mark becomes a part of the first line',
};

/**
 * A text file as an editor of any system may have saved it, with line feeds at the ends of its lines. A byte order mark, and line ends that
 * some programs do not know, are mistakes: the file can be saved again.
 *
 * @throws ProblemError when the file is too long, or in UTF-16
 */
export function editorText(content: Uint8Array, file: string): { readonly text: Uint8Array; readonly findings: readonly Finding[] } {
  requireLength(content, file, LONGEST_TEXT);
  refuseUtf16(content, file);
  const hasMark = BYTE_ORDER_MARK.equals(content.subarray(0, BYTE_ORDER_MARK.length));
  const bytes = hasMark ? content.subarray(BYTE_ORDER_MARK.length) : content;
  const isLone = (at: number): boolean => bytes[at] === RETURN && bytes[at + 1] !== FEED && at + 1 < bytes.length;
  const lone = bytes.findIndex((_, at) => isLone(at));
  const text = Buffer.from(bytes.filter((byte, at) => byte !== RETURN || isLone(at)).map((byte) => (byte === RETURN ? FEED : byte)));
  return {
    text,
    findings: [
      ...(hasMark ? [MARK_FINDING] : []),
      ...(lone === -1
        ? []
        : [
            {
              ...{ line: lineAt(bytes, lone), column: 1 },
              code: "carriage-return-alone",
              what: "a line ends with a carriage return alone",
              found: '"\\r", the end of a line on very old computers',
              expected: "a line feed, with or without a carriage return before it",
              todo: "save it again with the line ends of Unix or Windows: without a line feed the next line is a part of this one",
            },
          ]),
    ],
  };
}

/** What Windows calls "Unicode". No line of it could be read, and each would be a mistake. @throws ProblemError */
export function refuseUtf16(content: Uint8Array, file: string): void {
  const [first = 1, second = 1] = content;
  const hasMark = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  if (!hasMark && (first === 0) === (second === 0)) return;
  const finding = { line: 1, column: 1, code: "text-in-utf16", what: "the file is in UTF-16", found: "two bytes for each character" };
  refuseFindings(file, [{ ...finding, expected: "UTF-8" }], { todo: "save it again as UTF-8, without a byte order mark (BOM)" });
}

/** The line that ends there, where every kind of line end counts. */
function lineAt(bytes: Uint8Array, end: number): number {
  const before = bytes.subarray(0, end);
  return before.reduce((count, byte, at) => (byte === FEED || (byte === RETURN && before[at + 1] !== FEED) ? count + 1 : count), 1);
}
