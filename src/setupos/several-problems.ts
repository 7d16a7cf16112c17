import { oneLine, type Problem, ProblemError } from "../base/problem.ts";

/** All that is wrong as one problem, so that it is corrected in one go. What it is comes first, in short: a screen may have no room for more. */
function severalProblems(what: string, [first, ...more]: readonly [Problem, ...Problem[]]): Problem {
  if (more.length === 0) return first;
  const all = [first, ...more];
  return {
    code: "several-problems",
    what: `${what}: ${all.length} mistakes: ${all.map((problem) => problem.what).join("; ")}`,
    found: all.map((problem, index) => `${index + 1}. ${oneLine(problem)} (${problem.code})`).join("; "),
    todo: all.flatMap(({ todo }, index) => (todo === undefined ? [] : [`${index + 1}. ${todo}`])).join("; "),
  };
}

/** @throws ProblemError with all of them, when there are any */
export function refuseProblems(what: string, problems: readonly Problem[]): void {
  const [first, ...more] = problems;
  if (first !== undefined) throw new ProblemError(severalProblems(what, [first, ...more]));
}
