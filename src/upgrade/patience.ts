import type { Check } from "./health.ts";

/**
 * When a system on trial that confirms itself is kept, as pure functions of what was seen. Times are in seconds of one clock.
 */
export interface Patience {
  /** When it began, and how long it lasts. */
  readonly from: number;
  readonly lasts: number;
  /** Since when every look found the system healthy; absent where the last one did not. */
  readonly healthySince?: number;
}

export type Step =
  /** It has been healthy for long enough. */
  | { readonly kind: "confirm" }
  | { readonly kind: "look again" }
  /** Its time is up. */
  | { readonly kind: "give up" };

/** Seconds for which a system has to be healthy: a guest that ends at once, or a gateway that answers once, is no sign of health. */
export const SETTLED = 60;

/** What is known after a look. */
export function afterLook({ from, lasts, healthySince }: Patience, checks: readonly Check[], now: number): Patience {
  return isHealthy(checks) ? { from, lasts, healthySince: healthySince ?? now } : { from, lasts };
}

/** A system that is healthy when its time is up is looked at on: its next failure is the end. */
export function nextStep({ from, lasts, healthySince }: Patience, now: number): Step {
  if (healthySince !== undefined) return { kind: now - healthySince >= SETTLED ? "confirm" : "look again" };
  return { kind: now - from >= lasts ? "give up" : "look again" };
}

export function isHealthy(checks: readonly Check[]): boolean {
  return checks.every(({ problem }) => problem === undefined);
}

/** Which checks failed, and why, by code: equal for two looks that found the same, whatever their numbers. */
export function complaintOf(checks: readonly Check[]): string {
  return checks.flatMap(({ name, problem }) => (problem === undefined ? [] : `${name} ${problem.code}`)).join(", ");
}
