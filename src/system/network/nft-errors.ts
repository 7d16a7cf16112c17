import { type Problem, ProblemError } from "../../base/problem.ts";

/** A file of rules, and its origin. */
export interface Ruleset {
  readonly file: string;
  readonly content: string;
  /** It comes from outside: nft may see this file and no other. */
  readonly foreign: boolean;
}

/** The ruleset as nft saw it: its name, and the number of characters before its first line. */
export interface Shown {
  readonly name: string;
  readonly before: number;
}

/** A mistake, at the place that nft names. */
interface Mistake {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The text at that place of the ruleset; `undefined` in another file. */
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
        code: "ruleset-names-absent",
        what: `the ruleset names ${missing}; the rules in force stay until it is there`,
        where,
        found,
        todo: `nothing if it appears later: the ruleset is retried. Otherwise correct it, then: ${after}`,
      },
      { retryable: true },
    );
  }
  const more = errors.length === 1 ? "" : ` (the first of ${errors.length} mistakes)`;
  const alone = ruleset.foreign && text?.startsWith("include") === true ? ALONE : expected;
  return notValid({ where, found, ...(alone === undefined ? {} : { expected: alone }), todo: `correct it, then: ${after}` }, more);
}

function notValid(rest: Omit<Problem, "code" | "what">, more = ""): ProblemError {
  return new ProblemError({ code: "ruleset-not-valid", what: `the ruleset is not valid${more}`, ...rest });
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

/** A mistake in a file that an injected ruleset includes: the mistake is the include itself. */
function foreignInclude(stderr: string, { file, foreign }: Ruleset, { name, before }: Shown): ProblemError | undefined {
  const [, atLine, from] = new RegExp(`^In file included from ${name}:(\\d+):(\\d+)`, "m").exec(stderr) ?? [];
  if (!foreign || atLine === undefined) return undefined;
  const line = Number(atLine);
  return notValid({
    where: { file, line, column: Math.max(1, Number(from) - (line === 1 ? before : 0)) },
    found: "an include of a file that is no ruleset",
    expected: ALONE,
    todo: "correct it, then: guestos-boot --unit nftables",
  });
}

/**
 * An object that the ruleset names and that may appear by itself, in words; `undefined` where only the file can be wrong. The messages are
 * those of nft's own checks (src/datatype.c, src/meta.c of nftables) and, for host names, of getaddrinfo(3). The kernel's ENOENT counts
 * only at the name of an object that the ruleset makes there: then it means a device to hook into. nft 1.1 reports it at the table's name,
 * and suggests another table. Where this is a wrong guess, the ruleset is retried without success, and nothing worse happens.
 */
function missingYet(
  words: string,
  content: string,
  { line, column }: { readonly line: number; readonly column: number },
): string | undefined {
  // An IPv6 address in the place of an IPv4 one is called a host too.
  if (/^Could not resolve hostname: (?!Address family)/.test(words)) return "a host that does not resolve";
  if (words === "Interface does not exist") return "an interface that does not exist";
  const before = content.split("\n")[line - 1]?.slice(0, column - 1) ?? "";
  const isMade = /(?:^|[;{}])\s*(?:(?:add|create)\s+)?(?:table|chain|flowtable)\s[^;{}"#]*$/.test(before);
  return isMade && /^(?:Could not process rule: )?No such file or directory/.test(words)
    ? "an interface to hook into, or a kind of hook, that the kernel does not know"
    : undefined;
}
