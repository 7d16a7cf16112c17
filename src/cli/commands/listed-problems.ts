import type { Problem } from "../../base/problem.ts";
import { codedText } from "../../boot/show/run-text.ts";

/** So many of each kind are listed; further ones are counted. */
export const LISTED = 50;

/**
 * Problems of one kind for a person, in lines of at most 80 columns, an empty line after each.
 *
 * @param kind what they are: "mistake"
 */
export function listedProblems(kind: string, problems: readonly Problem[]): readonly string[] {
  const lines = problems.slice(0, LISTED).flatMap((problem) => {
    const [first = "", ...others] = codedText({ ...problem, what: `${kind}: ${problem.what}` });
    return [first, ...others.map((line) => `  ${line}`), ""];
  });
  return problems.length > LISTED ? [...lines, `and ${problems.length - LISTED} more of these`, ""] : lines;
}
