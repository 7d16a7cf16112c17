import type { Finding } from "../../base/finding.ts";
import type { TextLine } from "./text-lines.ts";

/** The lines of a file without the private keys in PEM (RFC 7468) that were pasted into it. */
export interface WithoutPrivateKeys {
  readonly lines: readonly TextLine[];
  /** The place of the first such key; `undefined` when there is none. */
  readonly place: Pick<Finding, "line" | "column"> | undefined;
}

const BEGIN = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/;
const END = /-----END [A-Z0-9 ]*PRIVATE KEY-----/;
/** Base64 alone. Such lines beside one of the two marks are the key's, where the other mark is missing. */
const BODY = /^\s*[A-Za-z0-9+/]+={0,2}\s*$/;
const COMMENT = /^\s*[#;]/;

/** Takes private keys out of the lines, so that a file tells of them once, and shows nothing of them. Comments stay. */
export function withoutPrivateKeys(lines: readonly TextLine[]): WithoutPrivateKeys {
  const kept: TextLine[] = [];
  let place: WithoutPrivateKeys["place"];
  let last = -1;
  for (const [at, line] of lines.entries()) {
    if (at <= last) continue;
    const isMark = !COMMENT.test(line.text) && (BEGIN.test(line.text) || END.test(line.text));
    if (!isMark) {
      kept.push(line);
      continue;
    }
    place ??= { line: line.number, column: line.text.search(/\S/) + 1 };
    if (BEGIN.test(line.text)) last = lastOfKey(lines, at);
    else while (BODY.test(kept.at(-1)?.text ?? "")) kept.pop();
  }
  return { lines: kept, place };
}

/** The index of the last line of the key that begins there. */
function lastOfKey(lines: readonly TextLine[], begin: number): number {
  const next = lines.findIndex(({ text }, at) => at > begin && BEGIN.test(text));
  const end = lines.findIndex(({ text }, at) => at >= begin && END.test(text));
  if (end !== -1 && (next === -1 || end < next)) return end;
  const behind = lines.findIndex(({ text }, at) => at > begin && !BODY.test(text));
  return (behind === -1 ? lines.length : behind) - 1;
}
