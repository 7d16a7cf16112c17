import { globSync, readFileSync } from "node:fs";

/** A place in the source that tells of a problem. */
export interface CodeSite {
  readonly code: string;
  /** What it says: … for what differs from one to the next. Several where it says one of them, none where the words are another program's. */
  readonly wordings: readonly string[];
  /** Of src/. */
  readonly room: string;
  readonly file: string;
}

/** Every place that makes a problem: a code in the source has its `what` right behind it. */
export function codeSites(): readonly CodeSite[] {
  return globSync("src/**/*.ts")
    .toSorted()
    .flatMap((file) => sitesIn(readFileSync(file, "utf8")).map((site) => ({ ...site, room: file.split("/")[1] ?? "", file })));
}

export function sitesIn(source: string): readonly Pick<CodeSite, "code" | "wordings">[] {
  // Not zod's own code of a mistake.
  return [...source.matchAll(/\bcode: "(?!custom")([^"]*)",\s*(?:what:\s)?/g)].map(({ 0: match, 1: code = "", index }) => ({
    code,
    wordings: /what:\s$/.test(match) ? wordingsOf(source, index + match.length) : [],
  }));
}

/** The table of docs/codes.md. */
export function codesReference(): string {
  const rows = [...Map.groupBy(codeSites(), ({ code }) => code)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, sites]) => {
      const wordings = new Set(sites.flatMap((site) => site.wordings));
      const words = wordings.size === 0 ? "the words of what found it" : [...wordings].join("; or: ").replaceAll("|", "\\|");
      return `| \`${code}\` | ${words} | ${[...new Set(sites.map(({ room }) => room))].join(", ")} |`;
    });
  return ["| code | what it says | room |", "| --- | --- | --- |", ...rows].join("\n");
}

/** The texts that the expression there may come to. What comes before a question mark decides, and is not said. */
function wordingsOf(source: string, start: number): readonly string[] {
  let texts: string[] = [];
  const end = endOf(source, start, ",;)}]", (at, next) => {
    if (source[at] === "?") texts = [];
    else if (/["`]/.test(source[at] ?? "")) texts.push(plainText(source.slice(at + 1, next - 1)));
  });
  return end === start ? [] : texts.filter((text) => /[a-z]/i.test(text));
}

/** A literal's text, with … for each part that is put in. */
function plainText(literal: string): string {
  let text = "";
  for (let at = 0; at < literal.length; at += 1) {
    if (literal.startsWith("${", at)) {
      text += text.endsWith("…") ? "" : "…";
      at = endOf(literal, at + 2, "}");
    } else if (literal[at] !== "\\") text += literal[at];
  }
  return text;
}

/** Where one of the characters in `ends` is outside of literals and brackets. @param visit told of all on the way, and where it ends */
function endOf(source: string, start: number, ends: string, visit: (at: number, next: number) => void = () => undefined): number {
  let depth = 0;
  let at = start;
  while (at < source.length) {
    const character = source[at] ?? "";
    if (depth === 0 && ends.includes(character)) return at;
    const next = /["`]/.test(character) ? endOfLiteral(source, at) : at + 1;
    if ("([{".includes(character)) depth += 1;
    if (")]}".includes(character)) depth -= 1;
    visit(at, next);
    at = next;
  }
  return at;
}

/** Behind the quote that ends the literal which begins there. What a template puts in may hold literals of its own. */
function endOfLiteral(source: string, start: number): number {
  const quote = source[start];
  let at = start + 1;
  while (at < source.length && source[at] !== quote) {
    if (source[at] === "\\") at += 2;
    else if (quote === "`" && source.startsWith("${", at)) at = endOf(source, at + 2, "}") + 1;
    else at += 1;
  }
  return at + 1;
}
