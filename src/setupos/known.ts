import type { Problem } from "../base/problem.ts";

/** What was asked of the machine: an answer, or why there is none. The second is never taken for "nothing there". */
export type Known<T> = { readonly value: T } | { readonly problem: Problem };
