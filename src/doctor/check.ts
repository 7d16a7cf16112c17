import type { RunFacts } from "../boot/record/record.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { Host, HostOptions } from "../system/host.ts";
import { type Problem, toProblem } from "../base/problem.ts";
import type { GuestUnit, Machine } from "../units/machine.ts";

/** What a doctor is shown: the node, and what was promised of it. */
export interface Patient {
  readonly layout: Layout;
  readonly medium: Machine["medium"];
  readonly chain: readonly GuestUnit[];
  /** What the monitor looks after besides the chain. */
  readonly maintenance: readonly GuestUnit[];
  readonly facts: RunFacts;
  /** Where the monitor says what it saw last. */
  readonly monitorFile: string;
  /** The machine, for as long as the signal lets. */
  readonly hostFor: (options: HostOptions) => Host;
}

/** One question about the running node that no unit's plan answers, or all those that they do. It looks and never touches. */
export interface Check {
  /** Unique: what a reader of the JSON document goes by. */
  readonly name: string;
  /** What it makes sure of, for people. */
  readonly title: string;
  /** Names of units: a node whose chain has not all of them has nothing of what is looked at. All nodes have it when absent. */
  readonly about?: readonly string[];
  /** A command that shows the same to a person. */
  readonly seen: string;
  /** Milliseconds. What has not been seen by then could not be looked at. */
  readonly within: number;
  /** What it throws counts as "could not look". */
  readonly look: (patient: Patient, host: Host) => Promise<Seen>;
}

export interface Seen {
  /** In a few words, for when nothing is wrong: "12 mounts". */
  readonly fact: string;
  readonly findings: readonly Finding[];
}

/**
 * `wrong`: not as promised. `unknown`: could not be looked at, which is never the same as fine. `notice`: as promised, and
 * somebody should know of it, for it may not stay so.
 */
export type Level = "wrong" | "unknown" | "notice";

export interface Finding {
  readonly level: Level;
  readonly problem: Problem;
  /** The command or file that shows it again. */
  readonly seen: string;
}

/** @param seen how to see it again; @param problem with `todo`: how to mend it */
export function wrong(seen: string, problem: Problem): Finding {
  return { level: "wrong", seen, problem };
}

export function notice(seen: string, problem: Problem): Finding {
  return { level: "notice", seen, problem };
}

export function couldNotLook(seen: string, error: unknown): Finding {
  return { level: "unknown", seen, problem: toProblem(error) };
}

/** A part of a check: where that part cannot be looked at, the others still are. */
export async function part(seen: string, look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [couldNotLook(seen, error)];
  }
}
