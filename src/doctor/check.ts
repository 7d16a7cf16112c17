import type { RunFacts } from "../boot/record/record.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { Host, HostOptions } from "../system/host.ts";
import { type Problem, toProblem } from "../base/problem.ts";
import type { GuestUnit, Machine } from "../units/machine.ts";

/** The input of a check: the node, and its promised state. */
export interface CheckedNode {
  readonly layout: Layout;
  readonly medium: Machine["medium"];
  readonly chain: readonly GuestUnit[];
  /** The units of the monitor besides the chain. */
  readonly maintenance: readonly GuestUnit[];
  readonly facts: RunFacts;
  /** The file in which the monitor keeps its last results. */
  readonly monitorFile: string;
  /** The machine, until the signal is aborted. */
  readonly hostFor: (options: HostOptions) => Host;
}

/**
 * A question about the running node that no unit's plan answers; chainCheck covers those that the plans answer. A check inspects, and never
 * changes anything.
 */
export interface Check {
  /** Unique: the key for readers of the JSON document. */
  readonly name: string;
  /** What the check ensures, for people. */
  readonly title: string;
  /**
   * Names of units: where the chain lacks one of them, the node has no object of this check, and the check is skipped. Absent for a check
   * of every node.
   */
  readonly about?: readonly string[];
  /** A command that shows the same to a person. */
  readonly seen: string;
  /** Milliseconds, after which the check has failed to inspect; by default 30,000. */
  readonly within?: number;
  /** An error counts as "could not inspect". */
  readonly inspect: (node: CheckedNode, host: Host) => Promise<Seen>;
}

export interface Seen {
  /** A short result for when nothing is wrong: "12 mounts". */
  readonly fact: string;
  readonly findings: readonly Finding[];
}

/**
 * `wrong`: not as promised. `unknown`: could not be inspected, which is never the same as fine. `notice`: as promised, but an operator
 * should know of it, because it may not stay so.
 */
export type Level = "wrong" | "unknown" | "notice";

export interface Finding {
  readonly level: Level;
  readonly problem: Problem;
  /** The command or file that shows it again. */
  readonly seen: string;
}

/** One finding, as the list that a check returns. @param seen how to see it again. @param problem with `todo`: how to repair it */
export function wrong(seen: string, problem: Problem): readonly Finding[] {
  return [{ level: "wrong", seen, problem }];
}

export function notice(seen: string, problem: Problem): readonly Finding[] {
  return [{ level: "notice", seen, problem }];
}

export function couldNotInspect(seen: string, error: unknown): readonly Finding[] {
  return [{ level: "unknown", seen, problem: toProblem(error) }];
}

/** A part of a check: if it cannot be inspected, the other parts still are. */
export async function part(seen: string, inspect: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await inspect();
  } catch (error) {
    return couldNotInspect(seen, error);
  }
}
