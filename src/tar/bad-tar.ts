import { type Problem, ProblemError } from "../base/problem.ts";

/** The kind of fault, for the caller's own message. */
export type TarFault = "cut-off" | "header" | "too-large" | "other";

/** The tar itself is at fault. The error does not name the tar: the caller that opened it adds the name. */
export class BadTar extends ProblemError {
  readonly fault: TarFault;

  constructor(fault: TarFault, problem: Problem) {
    super(problem);
    this.fault = fault;
  }
}
