import { type Problem, ProblemError } from "../../src/base/problem.ts";

/** The problem that a call ends in. Fails the test when it ends well, or in anything that is no ProblemError. */
export async function problemOf(call: () => unknown): Promise<Problem & { readonly retryable: boolean }> {
  try {
    await call();
  } catch (error) {
    if (error instanceof ProblemError) return { ...error.problem, retryable: error.retryable };
    throw error;
  }
  throw new Error("this should have been refused");
}
