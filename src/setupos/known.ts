import { type Problem, toProblem } from "../base/problem.ts";

/** What was asked of the machine: an answer, or why there is none. The second is never taken for "nothing there". */
export type Known<T> = { readonly value: T } | { readonly problem: Problem };

/** Asks, and takes what stops that for an answer. @throws what is a defect of this program */
export async function known<T>(ask: () => Promise<T>): Promise<Known<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    const problem = toProblem(error);
    if (problem.code === "defect") throw error;
    return { problem };
  }
}
