import type { Problem } from "../base/problem.ts";

/**
 * A unit is a question about the machine: what is missing for this state to be true?
 *
 * `M` is the machine that a unit may inspect and act on; the runner does not know its type and passes it through.
 */
export interface Unit<M> {
  /** Unique, kebab-case: the name that an operator types after `--unit`. */
  readonly name: string;
  /** For people, in the imperative: "Set up host keys of sshd". */
  readonly title: string;
  /** These must have succeeded, in full or but for a part, before this one runs. */
  readonly requires: readonly Unit<M>[];
  /** Order only: these come first when both run, whether they succeed or not. */
  readonly after: readonly Unit<M>[];
  /** Paths and devices that only this unit writes (ownership.ts). `verify` refuses two units whose entries overlap. */
  readonly owns: readonly string[];
  /**
   * Paths of other units for which this one waits by itself, in no order with the unit that writes them. It and those behind it may read
   * them (races.ts).
   */
  readonly awaits: readonly string[];
  /** Milliseconds for the whole unit, retries included. Then its tools are stopped and the unit has failed. */
  readonly timeout: number;
  /** Milliseconds during which an error marked retryable is tried again; 0 for never. */
  readonly retryFor: number;
  /**
   * `stop`: the boot fails. `degrade`: the boot goes on, and reports it. In both cases the units that require this one are skipped. A
   * ProblemError that is `partial` is the exception: the unit is degraded, and no unit is skipped.
   */
  readonly onFailure: "stop" | "degrade";
  /**
   * Why this machine has no such unit, in words, where it has none: it is then not inspected, has nothing to do, and is noted as absent.
   * Without this function, every machine has it.
   */
  readonly absent?: (machine: M) => Promise<string | undefined>;
  /** Inspects and never changes anything. Called again after the actions: whatever is then still missing "did not converge". */
  readonly plan: (machine: M) => Promise<Plan>;
  /**
   * True where the unit makes something permanent from names and sizes of the configuration. It is not made where that configuration cannot
   * be used.
   */
  readonly shapesDisks: boolean;
  /** True where repair is safe at any time: the monitor then does what is missing. Other units it only reports. */
  readonly repairs: boolean;
  /** Seconds until the monitor checks the unit again without an event; without this function, once an hour. */
  readonly inspectEvery?: (machine: M) => Promise<number>;
}

/**
 * Reports when a unit's state may have changed. It waits in the monitor for as long as the node runs, so it must load as little as
 * possible.
 */
export interface Watcher<M> {
  /** The unit's name. */
  readonly name: string;
  /** Yields for each change, several at once as one, until the signal is aborted. */
  readonly watch: (machine: M, signal: AbortSignal) => AsyncIterable<void>;
  /** Repairing the unit is mostly waiting for a remote answer. When another unit calls, its check is abandoned and made up for later. */
  readonly yields?: boolean;
}

/** The three answers: nothing missing (no actions), something missing (actions in order), something in the way. */
export type Plan = readonly Action[] | Conflict;

export interface Action {
  /** What an operator reads in a plan, a log, a timeline. Never holds a secret. */
  readonly description: string;
  /**
   * `provision` changes what survives a reboot; a boot without any such action has made no permanent change. `activate` sets up what every
   * boot needs again: mounts, mappings, tmpfs files, loaded rules, started services.
   */
  readonly effect: "provision" | "activate";
  readonly run: () => Promise<void>;
}

/** Something is in the way. It is named, and left untouched. */
export interface Conflict {
  readonly conflict: Problem;
}

/** An action whose effect survives a reboot. */
export function provision(description: string, run: () => Promise<void>): Action {
  return { description, effect: "provision", run };
}

/** An action whose effect is lost with the next reboot. */
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

type UnitDefaults = "requires" | "after" | "owns" | "awaits" | "timeout" | "retryFor" | "onFailure" | "shapesDisks" | "repairs";

/** What the author of a unit writes: properties with a default may be left out. */
export type UnitDefinition<M> = Omit<Unit<M>, UnitDefaults> & Partial<Pick<Unit<M>, UnitDefaults>>;

/** Completes a definition. Defaults: no dependencies, 60 s, no retries, its failure fails the boot, and only a run repairs it. */
export function defineUnit<M>(definition: UnitDefinition<M>): Unit<M> {
  return {
    requires: [],
    after: [],
    owns: [],
    awaits: [],
    timeout: 60_000,
    retryFor: 0,
    onFailure: "stop",
    shapesDisks: false,
    repairs: false,
    ...definition,
  };
}
