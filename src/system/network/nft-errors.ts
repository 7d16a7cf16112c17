import { ProblemError } from "../../base/problem.ts";

/** A file of rules, and whose it is. */
export interface Ruleset {
  readonly file: string;
  readonly content: string;
  /** It came from outside: nft may see this file and no other. */
  readonly foreign: boolean;
}

/** How nft saw the ruleset: under which name, and how many characters stood before its first line. */
export interface Shown {
  readonly name: string;
  readonly before: number;
}

/** A mistake, with where nft says it is. */
interface Mistake {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** What is in that place of the ruleset; `undefined` in another file. */
  readonly text: string | undefined;
  readonly words: string;
}

const ALONE = "the whole ruleset in this file: nft sees no other one for it";

/** The first mistake that nft names, as "/dev/stdin:5:14-17: Error: …"; `undefined` when it names none. */
export function parseNftError(stderr: string, ruleset: Ruleset, shown: Shown): ProblemError | undefined {
  const errors = [...stderr.matchAll(/^(\/\S*):(\d+):(\d+)(?:-(\d+))?: Error: (.*)$/gm)];
  const [error] = errors;
  if (error === undefined) return foreignInclude(stderr, ruleset, shown);
  const { text, words, ...where } = mistakeOf(error, ruleset, shown);
  const [what = "", expected] = words.split(", expecting ");
  const found = text === undefined || text === "" ? what : `"${text}": ${what}`;
  const after = ruleset.foreign ? "guestos-boot --unit nftables" : `nft -c -f ${ruleset.file}`;
  const missing = missingYet(words, ruleset.content, where);
  if (missing !== undefined) {
    return new ProblemError(
      {
        what: `the ruleset names ${missing}; the rules in force stay until it is there`,
        where,
        found,
        todo: `nothing where it comes up by itself: the ruleset is tried again and again. Else correct it, then: ${after}`,
      },
      { retryable: true },
    );
  }
  const more = errors.length === 1 ? "" : ` (the first of ${errors.length} mistakes)`;
  const alone = ruleset.foreign && text?.startsWith("include") === true ? ALONE : expected;
  return new ProblemError({
    what: `the ruleset is not valid${more}`,
    where,
    found,
    ...(alone === undefined ? {} : { expected: alone }),
    todo: `correct it, then: ${after}`,
  });
}

function mistakeOf([, name = "", atLine, from, to, words = ""]: RegExpExecArray, { file, content }: Ruleset, shown: Shown): Mistake {
  const isOurs = name === shown.name;
  const line = Number(atLine);
  const shift = isOurs && line === 1 ? shown.before : 0;
  const column = Math.max(1, Number(from) - shift);
  const end = Number(to ?? from) - shift;
  const text = isOurs
    ? content
        .split("\n")
        [line - 1]?.slice(column - 1, end)
        .trim()
    : undefined;
  return { file: isOurs ? file : name, line, column, text, words };
}

/** A mistake in a file that an injected ruleset includes is that it does. */
function foreignInclude(stderr: string, { file, foreign }: Ruleset, { name, before }: Shown): ProblemError | undefined {
  const [, atLine, from] = new RegExp(`^In file included from ${name}:(\\d+):(\\d+)`, "m").exec(stderr) ?? [];
  if (!foreign || atLine === undefined) return undefined;
  const line = Number(atLine);
  return new ProblemError({
    what: "the ruleset is not valid",
    where: { file, line, column: Math.max(1, Number(from) - (line === 1 ? before : 0)) },
    found: "an include of a file that is no ruleset",
    expected: ALONE,
    todo: "correct it, then: guestos-boot --unit nftables",
  });
}

/**
 * What the ruleset names that may come into being by itself; `undefined` where only the file can be wrong. The words are those of nft's
 * own checks (src/datatype.c, src/meta.c of nftables) and, for names of hosts, of getaddrinfo(3). Of the kernel's ENOENT only the one at the name of
 * something that is being made there: that is for a device that it hooks into. nft 1.1 tells it at the table's name, and guesses at another table.
 * Where that is told wrong, it is tried again in vain, and no more.
 */
function missingYet(
  words: string,
  content: string,
  { line, column }: { readonly line: number; readonly column: number },
): string | undefined {
  // An IPv6 address where one of IPv4 belongs is called a host too.
  if (/^Could not resolve hostname: (?!Address family)/.test(words)) return "a host that does not resolve";
  if (words === "Interface does not exist") return "an interface that does not exist";
  const before = content.split("\n")[line - 1]?.slice(0, column - 1) ?? "";
  const isMade = /(?:^|[;{}])\s*(?:(?:add|create)\s+)?(?:table|chain|flowtable)\s[^;{}"#]*$/.test(before);
  return isMade && /^(?:Could not process rule: )?No such file or directory/.test(words)
    ? "an interface to hook into, or a kind of hook, that the kernel does not know"
    : undefined;
}
