import { foreignText, foreignWords } from "./foreign-words.ts";
import type { Place, Problem } from "./problem-shape.ts";

export type { Place, Problem };

export interface ProblemOptions {
  /** True where the same call may succeed a moment later (a device race, a late medium). Only these are retried. */
  readonly retryable?: boolean;
  /** Resolves when a retry has become worthwhile, so that the runner does not sleep on after the event. */
  readonly wake?: (signal: AbortSignal) => Promise<void>;
  /** True where the rest of the work has been done, so that dependent units can go on. */
  readonly partial?: boolean;
  readonly cause?: unknown;
}

/** A `Problem` on its way up. Inner code throws it and logs nothing; the runner turns it into an outcome. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly problem: Problem;
  readonly retryable: boolean;
  readonly partial: boolean;
  readonly wake: ((signal: AbortSignal) => Promise<void>) | undefined;

  constructor(problem: Problem, options: ProblemOptions = {}) {
    super(oneLine(problem), options.cause === undefined ? undefined : { cause: options.cause });
    this.problem = problem;
    this.retryable = options.retryable ?? false;
    this.partial = options.partial ?? false;
    this.wake = options.wake;
  }
}

/** Any thrown value as a `Problem`. An error that is neither ours nor of a system call is reported as a defect. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof Error && "code" in error && typeof error.code === "string" && "syscall" in error) {
    const path = "path" in error && typeof error.path === "string" ? ` ${error.path}` : "";
    return { code: "system-call-failed", what: foreignText(`cannot ${String(error.syscall)}${path}`), found: foreignWords(error) };
  }
  return {
    code: "defect",
    what: "a defect in guestos-boot",
    found: error instanceof Error ? foreignText(error.stack ?? error.message) : foreignWords(error),
    todo: "report it with the record of this boot (guestos-boot status --json)",
  };
}

/** A file that is missing or cannot be read. */
export function unreadableFile(path: string, found: string): Problem {
  return { code: "file-not-readable", what: `cannot read ${path}`, found };
}

/** `file:line:column`, as far as they are known. */
export function placeText(place: Place): string {
  return [place.file, place.line, place.column].filter((part) => part !== undefined).join(":");
}

/** The problem in one line, for logs and error messages. */
export function oneLine(problem: Problem): string {
  const where = problem.where === undefined ? "" : `${placeText(problem.where)}: `;
  const found = problem.found === undefined ? "" : `: found ${problem.found}`;
  const expected = problem.expected === undefined ? "" : `, expected ${problem.expected}`;
  return `${where}${problem.what}${found}${expected}`;
}

/** The problem as labelled lines, for a person. The caller indents and wraps. */
export function problemLines(problem: Problem): readonly string[] {
  const lines = [problem.what];
  if (problem.where !== undefined) lines.push(`at       ${placeText(problem.where)}`);
  if (problem.found !== undefined) lines.push(`found    ${problem.found}`);
  if (problem.expected !== undefined) lines.push(`expected ${problem.expected}`);
  if (problem.todo !== undefined) lines.push(`to do    ${problem.todo}`);
  return lines;
}
