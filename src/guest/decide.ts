import type { Problem } from "../base/problem.ts";
import type { Slot } from "../config/layout/layout.ts";
import type { MachineState } from "../system/hypervisor/hypervisor.ts";
import type { Said } from "./serial-watch.ts";

/**
 * What the supervisor of the guest does next, as pure functions of what it sees now and of what it did. Times are in seconds of one clock.
 */
export type Seen =
  | { readonly kind: "machine"; readonly state: MachineState }
  /** The machine could not be inspected. That is never "it is not there". */
  | { readonly kind: "unknown"; readonly problem: Problem };

/** The machine that was started last, or was found running. */
export interface Started {
  readonly at: number;
  /** Absent where an earlier supervisor started it, and left no account. */
  readonly slot?: Slot;
  readonly onTrial: boolean;
}

export interface Memory {
  readonly started: Started | undefined;
  /** How often in a row it ended early, or could not be started; 0 once it has lasted. */
  readonly failures: number;
  /** No start before that. */
  readonly notBefore: number;
}

export type Decision =
  | { readonly kind: "wait" }
  | { readonly kind: "start" }
  /** It has ended, and its name and disk are to be freed. */
  | { readonly kind: "clear" }
  /** A new system did not come up: it is stopped, and the next start boots the system before it. */
  | { readonly kind: "give up" };

export const FRESH: Memory = { started: undefined, failures: 0, notBefore: 0 };

/** Seconds from one start to the next: doubled with each failure, up to the longest. */
const FIRST_DELAY = 1;
const LONGEST_DELAY = 300;
/** Seconds after which an end is no failure of the start. */
const LASTED = 600;
/** So many failures in a row are a crash loop: it is reported, and goes on. */
export const LOOP = 5;
/** Seconds in which a new system has to come up. The guest itself goes back after half an hour (guestos-trial.timer), if it still can. */
export const TRIAL = 35 * 60;
/** Seconds without a word of its boot, after which a guest is reported as silent; it may be an older one that says none. */
export const SILENT = 5 * 60;

export function decide(seen: Seen, { started, notBefore }: Memory, said: Said, now: number): Decision {
  if (seen.kind === "unknown") return { kind: "wait" };
  switch (seen.state) {
    case "absent":
      return now < notBefore ? { kind: "wait" } : { kind: "start" };
    case "crashed":
    case "shut off":
      return { kind: "clear" };
    // What it waits for, a disk that is full, only a person can give. It goes on by itself then.
    case "paused":
      return { kind: "wait" };
    case "running":
      // Only a system on trial is ever stopped: there is one to go back to. Any other one may be at work for its operator.
      if (started?.onTrial !== true || said === "success") return { kind: "wait" };
      return said === "failure" || now - started.at >= TRIAL ? { kind: "give up" } : { kind: "wait" };
  }
}

/** The memory of a machine that may have lasted by now: earlier failures count no more then. */
export function afterLooking(memory: Memory, now: number): Memory {
  return hasLasted(memory, now) ? { ...memory, failures: 0 } : memory;
}

/** The memory once the machine has ended. */
export function afterEnd(memory: Memory, now: number): Memory {
  return hasLasted(memory, now) ? { started: undefined, failures: 0, notBefore: now + FIRST_DELAY } : afterFailedStart(memory, now);
}

/** The memory once a start has failed. */
export function afterFailedStart({ failures }: Memory, now: number): Memory {
  return { started: undefined, failures: failures + 1, notBefore: now + Math.min(FIRST_DELAY * 2 ** failures, LONGEST_DELAY) };
}

function hasLasted({ started }: Memory, now: number): boolean {
  return started !== undefined && now - started.at >= LASTED;
}
