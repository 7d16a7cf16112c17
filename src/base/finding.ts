import { type Problem, ProblemError } from "./problem.ts";

/** One mistake in a file, with its place. Lines and columns count from 1. */
export interface Finding {
  readonly line: number;
  readonly column: number;
  /** See `Problem.code`. */
  readonly code: string;
  /** What is wrong, and with which part: "hostname is not usable". */
  readonly what: string;
  readonly found: string;
  readonly expected: string;
  /** What to do about it, where that is more than to correct the value. */
  readonly todo?: string;
}

/** One mistake as a problem. @param usual what to do, where the mistake does not say */
export function findingProblem(file: string, { line, column, code, what, found, expected, todo }: Finding, usual: string): Problem {
  return { code, what, where: { file, line, column }, found, expected, todo: todo ?? usual };
}

/** Further mistakes are counted, not listed: a hostile file must not fill the console. */
const LISTED = 10;

/** All mistakes of a file as one problem, so that an operator corrects them in one go. `where` is the place of the first. */
function findingsProblem(file: string, findings: readonly [Finding, ...Finding[]]): Problem {
  const sorted = findings.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const first = sorted[0] ?? findings[0];
  const where = { file, line: first.line, column: first.column };
  const todo = "correct the file where it was made";
  if (sorted.length === 1) return findingProblem(file, first, todo);
  const listed = sorted
    .slice(0, LISTED)
    .map(({ line, column, what, found, expected }) => `${line}:${column} ${what}: ${found}, expected ${expected}`);
  if (sorted.length > LISTED) listed.push(`and ${sorted.length - LISTED} more`);
  return { code: "several-mistakes", what: `there are ${sorted.length} mistakes in the file`, where, found: listed.join("; "), todo };
}

/** How mistakes are reported. */
export interface Refusal {
  /** What happened to the rest of the file. */
  readonly rest?: string;
  readonly todo?: string;
  /** See `ProblemOptions`. */
  readonly partial?: boolean;
}

/** Reports the mistakes of a file as one problem. @throws ProblemError when there is at least one */
export function refuseFindings(file: string, findings: readonly Finding[], { rest, partial = false, ...details }: Refusal = {}): void {
  const [first, ...more] = findings;
  if (first === undefined) return;
  const problem = findingsProblem(file, [first, ...more]);
  throw new ProblemError({ ...problem, ...details, what: rest === undefined ? problem.what : `${problem.what}; ${rest}` }, { partial });
}

/** A mistake that stops nothing, as a sentence. */
export function findingText({ line, column, what, found, expected }: Finding): string {
  return `line ${line}, column ${column}: ${what}, and is ignored: found ${found}, expected ${expected}`;
}
