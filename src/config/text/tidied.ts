const RETURN = 0x0d;
const FEED = 0x0a;
const TAB = 0x09;
const BLANK = 0x20;
const BYTE_ORDER_MARK = Buffer.from("\ufeff");

/** A text file without what means nothing, and what that was: one sentence each. */
export interface Tidied {
  readonly content: Uint8Array;
  readonly notes: readonly string[];
}

/**
 * Takes out of a text file what some hosts write and no reader means: a byte order mark, and carriage returns, blanks and tabs at the ends
 * of lines. All other bytes stay. A file without these is the same bytes.
 */
export function tidied(content: Uint8Array): Tidied {
  const hasMark = BYTE_ORDER_MARK.equals(content.subarray(0, BYTE_ORDER_MARK.length));
  const bytes = hasMark ? content.subarray(BYTE_ORDER_MARK.length) : content;
  const returns: number[] = [];
  const blanks: number[] = [];
  const lines: Uint8Array[] = [];
  for (let start = 0, number = 1; start < bytes.length; number += 1) {
    const feed = bytes.indexOf(FEED, start);
    const end = feed === -1 ? bytes.length : feed;
    let kept = end;
    while (kept > start && bytes[kept - 1] === RETURN) kept -= 1;
    if (kept < end) returns.push(number);
    const before = kept;
    while (kept > start && (bytes[kept - 1] === BLANK || bytes[kept - 1] === TAB)) kept -= 1;
    if (kept < before) blanks.push(number);
    lines.push(bytes.subarray(start, kept), bytes.subarray(end, Math.min(end + 1, bytes.length)));
    start = end + 1;
  }
  const notes = [
    ...(hasMark ? ["a byte order mark at the beginning"] : []),
    ...(returns.length > 0 ? [`carriage returns at the ends of lines (the first in line ${returns[0]})`] : []),
    ...(blanks.length > 0 ? [`blanks or tabs at the ends of lines (the first in line ${blanks[0]})`] : []),
  ];
  return notes.length === 0 ? { content, notes } : { content: Buffer.concat(lines), notes };
}
