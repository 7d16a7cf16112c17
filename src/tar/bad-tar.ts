import { type Problem, ProblemError } from "../base/problem.ts";

/** What kind of thing is wrong, for the caller's own words. */
export type TarFault = "cut-off" | "header" | "too-large" | "other";

/** The tar itself is at fault. It does not say which one: that is known to whoever opened it, and added there. */
export class BadTar extends ProblemError {
  readonly fault: TarFault;

  constructor(fault: TarFault, problem: Problem) {
    super(problem);
    this.fault = fault;
  }
}
