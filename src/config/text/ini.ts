import type { Finding } from "../../base/finding.ts";
import { nearest, perhaps } from "../../base/nearest.ts";
import { editorText } from "./editor-text.ts";
import type { Entry } from "./key-value.ts";
import { withoutPrivateKeys } from "./private-keys.ts";
import { shownText } from "./shown-text.ts";
import { type TextLine, textLines } from "./text-lines.ts";

/** What was read of an ini file. */
export interface IniFile {
  /** The first line of each known key. Keys are in lower case; values are without comments and quotes. */
  readonly entries: readonly Entry[];
  /** The known keys that some line is about, also where it has a mistake, and the place of the first such line. */
  readonly named: ReadonlyMap<string, Pick<Finding, "line" | "column">>;
  readonly findings: readonly Finding[];
  /** What is read here, and what some readers take otherwise. */
  readonly warnings: readonly Finding[];
}

/**
 * Reads `key = value` lines as a person writes them who has never seen such a file: comments on lines of their own begin with `#` or `;`,
 * names of sections are lines in square brackets. Lines may end as on any system.
 *
 * Programs read such files in different ways (docs/setupos.md). What they do not read alike is a mistake where the meaning differs, and a
 * warning where one of them only does without. The value counts in the meaning that is most likely, so that one mistake is told once.
 *
 * A private key that was pasted into the file is one mistake. No word is shown that may be a part of one.
 *
 * @param known the keys that exist
 * @throws ProblemError when the file is too long, or in UTF-16
 */
export function scanIni(content: Uint8Array, file: string, known: readonly string[]): IniFile {
  const { text, findings: ends } = editorText(content, file);
  const { lines: all, findings: bad } = textLines(text, file, { tabs: true });
  const { lines, place } = withoutPrivateKeys(all);
  const findings = [...ends, ...bad, ...(place === undefined ? [] : [{ ...place, ...PRIVATE_KEY }])];
  const warnings: Finding[] = [];
  const entries = new Map<string, Entry>();
  const named = new Map<string, Pick<Finding, "line" | "column">>();
  const loose: TextLine[] = [];
  for (const line of lines) {
    const read = readLine(line, known);
    if (read === undefined) continue;
    findings.push(...read.findings);
    warnings.push(...read.warnings);
    if (read.key !== undefined && !named.has(read.key)) named.set(read.key, { line: line.number, column: columnOf(line.text) });
    if (read.entry === undefined) continue;
    if (read.isLoose) loose.push(line);
    const { key } = read.entry;
    const earlier = entries.get(key);
    if (earlier === undefined) entries.set(key, read.entry);
    else
      findings.push({
        ...{ line: line.number, column: columnOf(line.text) },
        code: "key-twice",
        what: "a key occurs twice",
        found: `${key} in line ${earlier.line} and again in line ${line.number}`,
        expected: "each key once",
      });
  }
  return { entries: [...entries.values()], named, findings, warnings: [...warnings, ...blanksWarning(loose)] };
}

const PRIVATE_KEY: Omit<Finding, "line" | "column"> = {
  code: "private-key-in-config",
  what: "a private key is in a file of settings",
  found: "a PEM block PRIVATE KEY",
  expected: "key=value alone",
  todo: "take the private key out, and make a new one where others may have seen it",
};

interface Line {
  /** The known key that it is about. */
  readonly key?: string;
  readonly entry?: Entry;
  /** Whether there are blanks around its parts. */
  readonly isLoose: boolean;
  readonly findings: readonly Finding[];
  readonly warnings: readonly Finding[];
}

function readLine(line: TextLine, known: readonly string[]): Line | undefined {
  const { text, number } = line;
  const trimmed = text.trim();
  if (trimmed === "" || /^[#;]/.test(trimmed)) return undefined;
  const at = { line: number, column: columnOf(text) };
  const [first = "", ...others] = trimmed.split(/[\s:=]+/);
  const meant = [first, ...others].map((word) => word.toLowerCase()).find((word) => known.includes(word));
  const only = (finding: Finding): Line => ({
    ...(meant === undefined ? {} : { key: meant }),
    ...{ isLoose: false, findings: [finding], warnings: [] },
  });
  if (trimmed.startsWith("[")) return sectionLine(trimmed, at);
  const equals = text.indexOf("=");
  if (equals === -1)
    return only({
      ...at,
      code: "line-without-equals",
      what: "a line has no =",
      // The first word is enough to find the line.
      found: shownText(first),
      expected: "key=value, or a comment that begins with #",
    });
  const key = text.slice(0, equals).trim().toLowerCase();
  if (!/^[a-z_][a-z0-9_]*$/.test(key))
    return only({
      ...at,
      code: "line-without-key",
      what: "a line does not begin with a key",
      found: shownText(key),
      expected: "letters, digits and _, and then =",
    });
  if (!known.includes(key)) return unknownKey(key, at, known);
  return valueLine(line, key, equals);
}

function sectionLine(trimmed: string, at: Pick<Finding, "line" | "column">): Line {
  const found = shownText(trimmed);
  const isWhole = /^\[[^\]]*\]$/.test(trimmed);
  return {
    isLoose: false,
    findings: isWhole
      ? []
      : [{ ...at, code: "section-damaged", what: "a line begins with [ and is no section", found, expected: "a name in square brackets" }],
    warnings: isWhole
      ? [{ ...at, code: "section-ignored", what: "a section means nothing in this file", found, expected: "keys alone" }]
      : [],
  };
}

/** A name that is nearly one that exists is a typing error. Any other may be one of another version. */
function unknownKey(key: string, at: Pick<Finding, "line" | "column">, known: readonly string[]): Line {
  const meant = nearest(key, known);
  const finding = {
    ...at,
    code: "unknown-key",
    what: "there is no such key",
    found: shownText(key),
    expected: perhaps(key, known),
  };
  if (meant === undefined) return { isLoose: false, findings: [], warnings: [finding] };
  return { key: meant, isLoose: false, findings: [finding], warnings: [] };
}

function valueLine({ text, number: line }: TextLine, key: string, equals: number): Line {
  const raw = text.slice(equals + 1).trim();
  const column = equals + 2 + (text.slice(equals + 1).length - text.slice(equals + 1).trimStart().length);
  const [plain = ""] = raw.split("#");
  const value = plain.replaceAll(/["']/g, "").trim();
  const start = Math.max(plain.search(/[^"'\s]/), 0);
  const findings: Finding[] = [];
  if (value === "")
    findings.push({
      ...{ line, column: equals + 2 },
      code: "value-missing",
      what: `${key} has no value`,
      found: raw === "" ? "nothing" : shownText(raw),
      expected: "a value, or no such line",
      todo: "write the value behind the =, or remove the line",
    });
  else {
    if (plain !== raw)
      findings.push({
        ...{ line, column: column + plain.length },
        code: "comment-behind-value",
        what: `there is a comment behind the value of ${key}`,
        found: shownText(raw.slice(plain.length)),
        expected: "comments on lines of their own",
        todo: "move the comment to a line of its own: in this place it becomes a part of the value",
      });
    if (/["']/.test(plain))
      findings.push({
        ...{ line, column: column + plain.search(/["']/) },
        code: "quotes-in-value",
        what: `the value of ${key} has quotes`,
        found: shownText(plain.trim()),
        expected: "the value without quotes",
        todo: "remove the quotes: they become a part of the value",
      });
  }
  const isLoose = text.length !== text.trim().length || text.slice(0, equals).trim().length !== equals || column !== equals + 2;
  // An empty value has been told of: it counts as absent.
  return { key, ...(value === "" ? {} : { entry: { key, value, line, column: column + start } }), isLoose, findings, warnings: [] };
}

function blanksWarning([first, ...more]: readonly TextLine[]): readonly Finding[] {
  if (first === undefined) return [];
  const rest = more.length === 0 ? "" : ` and ${more.length} more such ${more.length === 1 ? "line" : "lines"}`;
  return [
    {
      ...{ line: first.number, column: 1 },
      code: "blanks-in-line",
      what: "there are blanks around a key or a value: installers of 2022 and 2023 take them as a part of it",
      found: `${shownText(first.text)}${rest}`,
      expected: "key=value without blanks",
    },
  ];
}

function columnOf(text: string): number {
  return text.length - text.trimStart().length + 1;
}
