import { type Problem, ProblemError } from "../base/problem.ts";

/**
 * The image itself is at fault, not the machine, the network or the request. Only such an error may cause an image's hash to be recorded as
 * refused. It is thrown without a place: `receive` knows the name of the image, and adds it.
 */
export class BadImage extends ProblemError {
  constructor(problem: Problem, cause?: unknown) {
    super({ todo: "build or fetch the image again; the running system was not changed", ...problem }, { cause });
  }
}
