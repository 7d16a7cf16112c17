import { type Finding, refuseFindings } from "../../base/finding.ts";
import { quoted } from "../../base/quoted.ts";
import * as z from "../../base/schema.ts";
import { textLines } from "../text/text-lines.ts";
import { foreignWords } from "../../base/foreign-words.ts";

/** Bytes. Lists of canisters have tens of thousands of lines, and are held in memory. */
export const LONGEST_CANISTER_LIST = 4 * 1024 ** 2;

/** The text form of a canister's id: base32 in groups of five (internetcomputer.org/docs, "principals"). */
const CANISTER_ID = /^([a-z2-7]{5}-){4}[a-z2-7]{3}$/;
const EXPECTED_ID = "the id of a canister, as in rdmx6-jaaaa-aaaaa-aaadq-cai";

/** Checks pre_isolation_canisters.txt: one canister id a line. @throws ProblemError naming every mistake with its place */
export function checkCanisterList(content: Uint8Array, file: string): void {
  const { lines, findings } = textLines(content, file, { tabs: false, longest: LONGEST_CANISTER_LIST });
  const bad = lines
    .filter(({ text }) => text !== "" && !text.startsWith("#") && !CANISTER_ID.test(text))
    .map(({ text, number }): Finding => ({
      ...{ line: number, column: 1, code: "line-not-usable", what: "a line is not usable" },
      ...{ found: quoted(text), expected: EXPECTED_ID },
    }));
  refuseFindings(file, [...findings, ...bad]);
}

const Denylist = z.object({
  canisters: z.record(
    z.string().check(z.regex(CANISTER_ID, EXPECTED_ID)),
    z.object({
      // ISO 3166-1 alpha-2.
      localities: z.optional(z.array(z.string().check(z.regex(/^[A-Z]{2}$/, "a country of two capital letters, as in CH")))),
    }),
  ),
});

/**
 * Checks denylist.json: canisters that are not served, or not in some countries.
 *
 * @throws ProblemError with file, and line and column where they are known
 */
export function checkDenylist(content: Uint8Array, file: string): void {
  const { lines, findings } = textLines(content, file, { tabs: true, longest: LONGEST_CANISTER_LIST });
  refuseFindings(file, findings);
  const text = lines.map((line) => line.text).join("\n");
  const document = parsed(text, file);
  const { error } = Denylist.safeParse(document);
  if (error === undefined) return;
  refuseFindings(
    file,
    error.issues.map((issue) => ({
      ...placeOf(issue.path, lines),
      code: "value-not-usable",
      what: `${["the list", ...issue.path.map(String)].join(" › ").slice(0, 100)} is not usable`,
      found: issue.code === "invalid_key" ? quoted(String(issue.path.at(-1))) : issue.message,
      expected:
        issue.code === "invalid_key" ? EXPECTED_ID : 'as in { "canisters": { "rdmx6-jaaaa-aaaaa-aaadq-cai": { "localities": ["CH"] } } }',
    })),
  );
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = foreignWords(error);
    // V8 says "… in JSON at position 17 (line 2 column 3)"; where it names no place, the text ends too early.
    const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(message) ?? [];
    const end = text.split("\n");
    const at = { line: Number(line ?? end.length), column: Number(column ?? (end.at(-1)?.length ?? 0) + 1) };
    return refuseFindings(file, [
      {
        ...at,
        code: "not-json",
        what: "the file is not JSON",
        found: quoted(end[at.line - 1]?.slice(at.column - 1) ?? ""),
        expected: "JSON (RFC 8259)",
      },
    ]);
  }
}

/** The line in which the last name of the path occurs for the first time. */
function placeOf(
  path: readonly PropertyKey[],
  lines: readonly { readonly text: string; readonly number: number }[],
): Pick<Finding, "line" | "column"> {
  const names = path.filter((part) => typeof part === "string").toReversed();
  for (const name of names) {
    const line = lines.find(({ text }) => text.includes(JSON.stringify(name)));
    if (line !== undefined) return { line: line.number, column: line.text.indexOf(JSON.stringify(name)) + 1 };
  }
  return { line: 1, column: 1 };
}
