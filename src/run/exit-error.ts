import type { Problem } from "../base/problem.ts";
import type { ExitName } from "./exit-codes.ts";

/** Ends the program with this problem on stderr and that exit code. */
export class ExitError extends Error {
  override readonly name = "ExitError";
  readonly exit: ExitName;
  readonly problem: Problem;

  constructor(exit: ExitName, problem: Problem) {
    super(problem.what);
    this.exit = exit;
    this.problem = problem;
  }
}
