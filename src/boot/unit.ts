import type { Problem } from "../base/problem.ts";

/**
 * A unit is a question about the machine: what is missing for this to be true?
 *
 * `M` is what a unit may look at and act on; the runner does not know it and hands it through.
 */
export interface Unit<M> {
  /** Unique, kebab-case: what an operator types after `--unit`. */
  readonly name: string;
  /** For people, in the imperative: "Set up host keys of sshd". */
  readonly title: string;
  /** These must have succeeded, but for a part, before this one runs. */
  readonly requires: readonly Unit<M>[];
  /** Order only: these come first when both run, whether they succeed or not. */
  readonly after: readonly Unit<M>[];
  /** Paths and devices that this unit alone writes (ownership.ts). Two units that own what overlaps are refused by `verify`. */
  readonly owns: readonly string[];
  /** Milliseconds for the whole unit, retries included. Then its tools are stopped and it has failed. */
  readonly timeout: number;
  /** Milliseconds for which an error marked retryable is tried again; 0 for never. */
  readonly retryFor: number;
  /**
   * `stop`: the boot fails. `degrade`: the boot goes on, and says so. What requires the unit is skipped either way. Neither where it
   * throws a ProblemError that is `partial`: then the unit is degraded, and nothing is skipped.
   */
  readonly onFailure: "stop" | "degrade";
  /** Looks and never touches. Called again after the actions: what is then still missing "did not converge". */
  readonly plan: (machine: M) => Promise<Plan>;
  /** True where what it makes is permanent, with names and sizes of the configuration: not made where that cannot be used. */
  readonly shapesDisks: boolean;
  /** True where mending is safe at any time: the monitor then does what is missing. Of other units it only reports it. */
  readonly mends: boolean;
  /** Seconds until the monitor looks at the unit again though nothing has called for it; without it, it looks once an hour. */
  readonly lookEvery?: (machine: M) => Promise<number>;
}

/** Tells when a unit's state may have changed. It waits in the monitor for as long as the node runs, so it loads next to nothing. */
export interface Watcher<M> {
  /** The unit's. */
  readonly name: string;
  /** Yields for each change, several at once as one, until the signal is aborted. */
  readonly watch: (machine: M, signal: AbortSignal) => AsyncIterable<void>;
  /** Mending it is mostly waiting for somebody's answer: a look at it is given up, and made up for, when another unit calls. */
  readonly makesWay?: boolean;
}

/** The three answers: nothing missing (no actions), something missing (actions in order), something in the way. */
export type Plan = readonly Action[] | Conflict;

export interface Action {
  /** What an operator reads in a plan, a log, a timeline. Never holds a secret. */
  readonly description: string;
  /**
   * `provision` changes what survives a reboot; a boot that did none of it has changed nothing.
   * `activate` puts in place what every boot needs anew: mounts, mappings, tmpfs files, loaded rules, started services.
   */
  readonly effect: "provision" | "activate";
  readonly run: () => Promise<void>;
}

/** Something is in the way. It is named, and not touched. */
export interface Conflict {
  readonly conflict: Problem;
}

/** An action whose effect survives a reboot. */
export function provision(description: string, run: () => Promise<void>): Action {
  return { description, effect: "provision", run };
}

/** An action that puts in place what is gone with the next reboot. */
export function activate(description: string, run: () => Promise<void>): Action {
  return { description, effect: "activate", run };
}

export function conflict(problem: Problem): Conflict {
  return { conflict: problem };
}

export function isConflict(plan: Plan): plan is Conflict {
  return "conflict" in plan;
}

/** Several plans as one: the first conflict, or all actions in order. */
export function joined(plans: readonly Plan[]): Plan {
  return plans.find(isConflict) ?? plans.flatMap((plan) => (isConflict(plan) ? [] : plan));
}

type UnitDefaults = "requires" | "after" | "owns" | "timeout" | "retryFor" | "onFailure" | "shapesDisks" | "mends";

/** What the author of a unit writes: everything with a usual value may be left out. */
export type UnitDefinition<M> = Omit<Unit<M>, UnitDefaults> & Partial<Pick<Unit<M>, UnitDefaults>>;

/** Completes a definition: no dependencies, 60 s, no retries, its failure fails the boot, and only a run mends it. */
export function defineUnit<M>(definition: UnitDefinition<M>): Unit<M> {
  return {
    requires: [],
    after: [],
    owns: [],
    timeout: 60_000,
    retryFor: 0,
    onFailure: "stop",
    shapesDisks: false,
    mends: false,
    ...definition,
  };
}
