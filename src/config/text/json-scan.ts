/** A path through a document: keys, and numbers in lists. */
export type JsonPath = readonly PropertyKey[];

/** Offsets of a value in its text: from its first character to the one behind its last. */
export interface JsonRange {
  readonly start: number;
  readonly end: number;
}

/** The place of a mistake, and what would have been right there. */
export interface JsonFault {
  readonly offset: number;
  readonly expected: string;
}

/** A text as JSON (RFC 8259): where each value is, or where the text stops being JSON. */
export interface JsonScan {
  readonly fault?: JsonFault;
  /** By `pathKey`. For the value behind each name, and each element of a list. */
  readonly ranges: ReadonlyMap<string, JsonRange>;
}

/** A value that is open: an object or a list. */
interface Level {
  readonly kind: "object" | "list";
  readonly start: number;
  /** The name of the value that is read now, or its number. */
  at: string | number;
  readonly names: Set<string>;
}

type Awaited = "value" | "value or end" | "name" | "name or end" | "colon" | "comma or end" | "nothing";

const EXPECTED: Readonly<Record<Awaited, string>> = {
  value: "a value",
  "value or end": "a value, or ]",
  name: "a name in double quotes",
  "name or end": "a name in double quotes, or }",
  colon: "a colon behind the name",
  "comma or end": "a comma, or the end of the object or list",
  nothing: "nothing behind the end of the JSON text",
};

/** The form of a path in `JsonScan.ranges`. */
export function pathKey(path: JsonPath): string {
  return JSON.stringify(path);
}

/**
 * Finds the place of every value of a JSON text. JSON.parse gives no place for many mistakes, and none for a value. A name that an object
 * has twice is a mistake here: which one counts depends on the reader.
 *
 * It does not recurse, so no text can exhaust the stack.
 *
 * @param deepest objects and lists within each other
 */
export function scanJson(text: string, deepest: number): JsonScan {
  const ranges = new Map<string, JsonRange>();
  const levels: Level[] = [];
  let awaited: Awaited = "value";
  let offset = 0;
  const closed = (range: JsonRange): Awaited => {
    ranges.set(pathKey(levels.map(({ at }) => at)), range);
    return levels.length === 0 ? "nothing" : "comma or end";
  };
  for (;;) {
    offset = behind(BLANKS, text, offset) ?? offset;
    const character = text.charAt(offset);
    if (character === "" && awaited === "nothing") return { ranges };
    const level = levels.at(-1);
    const wrong = (expected: string = EXPECTED[awaited]): JsonScan => ({ fault: { offset, expected }, ranges });
    if (level !== undefined && isEnd(character, level, awaited)) {
      levels.pop();
      offset += 1;
      awaited = closed({ start: level.start, end: offset });
      continue;
    }
    switch (awaited) {
      case "colon":
        if (character !== ":") return wrong();
        offset += 1;
        awaited = "value";
        break;
      case "comma or end":
        if (character !== "," || level === undefined) return wrong();
        offset += 1;
        if (typeof level.at === "number") level.at += 1;
        awaited = level.kind === "object" ? "name" : "value";
        break;
      case "name":
      case "name or end": {
        const end = behindString(text, offset);
        if (end === undefined || level === undefined) return wrong();
        const name = String(JSON.parse(text.slice(offset, end)));
        if (level.names.has(name)) return wrong("each name once in an object");
        level.names.add(name);
        level.at = name;
        offset = end;
        awaited = "colon";
        break;
      }
      case "value":
      case "value or end": {
        if (character === "{" || character === "[") {
          if (levels.length === deepest) return wrong(`at most ${deepest} objects and lists within each other`);
          const kind = character === "{" ? "object" : "list";
          levels.push({ kind, start: offset, at: kind === "list" ? 0 : "", names: new Set() });
          offset += 1;
          awaited = kind === "object" ? "name or end" : "value or end";
          break;
        }
        const end = behindString(text, offset) ?? behind(NUMBER, text, offset) ?? behind(WORD, text, offset);
        if (end === undefined) return wrong();
        const start = offset;
        offset = end;
        awaited = closed({ start, end });
        break;
      }
      case "nothing":
        return wrong();
    }
  }
}

function isEnd(character: string, { kind }: Level, awaited: Awaited): boolean {
  return kind === "object"
    ? character === "}" && (awaited === "name or end" || awaited === "comma or end")
    : character === "]" && (awaited === "value or end" || awaited === "comma or end");
}

const BLANKS = /[ \t\n\r]+/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** @returns the offset behind the match of a sticky pattern; `undefined` when it does not match there */
function behind(pattern: RegExp, text: string, offset: number): number | undefined {
  pattern.lastIndex = offset;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

/** A loop: a pattern with so many alternatives would keep a state for each character. */
function behindString(text: string, start: number): number | undefined {
  if (text.charAt(start) !== '"') return undefined;
  for (let offset = start + 1; offset < text.length;) {
    const code = text.charCodeAt(offset);
    if (code === 0x22) return offset + 1;
    if (code < 0x20) return undefined;
    const next: number | undefined = code === 0x5c ? behind(ESCAPE, text, offset) : offset + 1;
    if (next === undefined) return undefined;
    offset = next;
  }
  return undefined;
}
