/** What shall happen to a process, and at which of its effects: handed over as JSON in the environment. */
export interface Target {
  /** Effects are counted from 1. 0: none; they are only listed. */
  readonly effect: number;
  readonly moment: Moment;
  /** Where the effects are listed, a line of JSON each. */
  readonly list: string;
  /** Milliseconds that the effect takes when nothing happens to it. */
  readonly milliseconds: number;
}

export type Moment =
  /** Killed before it, after it, or at a step of it: half of a write, some of a tree removed, a tool begun or half through. */
  | { readonly kind: "before" | "after" }
  | { readonly kind: "middle"; readonly step: number }
  /** From there on no file system has space left. */
  | { readonly kind: "full" }
  /** That one fails for once, and does nothing. */
  | { readonly kind: "io-error" }
  /** From there on no tool ends by itself, or when it is asked to; and no unit has more time than that. */
  | { readonly kind: "hang"; readonly timeout: number }
  /** Nothing happens but that each unit waits a while, by chance, before it is inspected: units run in another legal order. */
  | { readonly kind: "order"; readonly seed: number };

/** One effect of a process, as it is listed when it has ended. */
export interface Effect {
  readonly name: string;
  /** At how many places in it the process can be killed. */
  readonly steps: number;
  readonly milliseconds: number;
  /** Whether it is a run of a tool. */
  readonly isTool: boolean;
}

/** The names of the variables. */
export const ENVIRONMENT = { root: "CRASH_ROOT", profile: "CRASH_PROFILE", target: "CRASH_TARGET", planted: "CRASH_PLANTED" } as const;
