import type { UnfinishedRun } from "../../config/state/unfinished-run.ts";
import type { Ending } from "../../system/command.ts";
import type { Problem } from "../../base/problem.ts";

/**
 * What happened, as it happens: a tree of spans. A run holds units, a unit holds plans, actions and waits for a retry,
 * and each of those holds tool runs. Times are seconds of CLOCK_MONOTONIC, as in systemd's own timestamps, so that the
 * two can be put side by side.
 */
export type RecordEvent =
  | {
      readonly event: "run-started";
      readonly span: number;
      readonly at: number;
      /** Wall-clock time, ISO 8601. */
      readonly time: string;
      readonly run: RunFacts;
      /** What runs, in chain order; `prerequisite` is there only because another one requires it. */
      readonly units: readonly UnitFacts[];
    }
  | { readonly event: "started"; readonly span: number; readonly parent: number; readonly at: number; readonly what: SpanSubject }
  | { readonly event: "ended"; readonly span: number; readonly at: number; readonly outcome: SpanOutcome }
  /** A run before this one was cut off, by a lost power or a kill. Comes once at the most, as soon as that can be seen. */
  | { readonly event: "interrupted"; readonly span: number; readonly at: number; readonly before: UnfinishedRun }
  | { readonly event: "note"; readonly span: number; readonly at: number; readonly text: string }
  | {
      readonly event: "run-ended";
      readonly span: number;
      readonly at: number;
      readonly outcome: RunOutcome;
      readonly counts: Counts;
      /** The most memory that the program itself has used, without its tools, in bytes. */
      readonly peakMemory?: number;
    };

/** What of a unit a reader of the record needs to make sense of its ending. */
export interface UnitFacts {
  readonly name: string;
  readonly requires: readonly string[];
  /** Order only; absent where there are none. Some may not be part of the run. */
  readonly after?: readonly string[];
  readonly prerequisite: boolean;
  readonly onFailure: "stop" | "degrade";
}

/** The halves of a boot: what ends before the rest of the system starts, and what waits for the system bus. */
export type Stage = "early" | "late";

/** Who ran what, in which boot. */
export interface RunFacts {
  readonly bootId: string;
  readonly version: string;
  readonly slot: string | undefined;
  readonly pid: number;
  /**
   * `boot`: the boot itself. A half of it: as an operator asked for it, or as the boot was in releases in which each half was a process of
   * its own. `undefined` for any other run that an operator started.
   */
  readonly stage: Stage | "boot" | undefined;
  /** It was the monitor that ran it, and nobody asked for it. */
  readonly monitor?: true;
}

export type SpanSubject =
  | { readonly kind: "unit"; readonly name: string }
  | { readonly kind: "plan" }
  | { readonly kind: "action"; readonly description: string; readonly effect: "provision" | "activate" }
  /** Waiting until a retry is worthwhile, and why. */
  | { readonly kind: "retry"; readonly problem: Problem }
  | { readonly kind: "tool"; readonly argv: readonly string[] };

export type SpanOutcome =
  | { readonly kind: "done" }
  | { readonly kind: "planned"; readonly actions: readonly string[] }
  | { readonly kind: "conflict"; readonly problem: Problem }
  | { readonly kind: "failed"; readonly problem: Problem }
  | { readonly kind: "tool"; readonly ending: Ending; readonly stderr: string }
  | { readonly kind: "unit"; readonly result: UnitResult };

/** How a unit ended: exactly one of these. */
export type UnitResult =
  /** Nothing that survives a reboot had to be done. */
  | { readonly kind: "unchanged"; readonly activated: readonly string[] }
  | { readonly kind: "changed"; readonly provisioned: readonly string[]; readonly activated: readonly string[] }
  /** It failed, and the boot goes on without it; or with what it did, where that is all but this problem. */
  | { readonly kind: "degraded"; readonly problem: Problem; readonly partial?: true }
  | { readonly kind: "failed"; readonly problem: Problem }
  /** It was not started: something that it requires did not succeed, or the run was stopped. */
  | { readonly kind: "skipped"; readonly because: readonly string[] };

export type UnitOutcome = UnitResult["kind"];
export type Counts = Readonly<Record<UnitOutcome, number>>;

/** `done`: all is as it should be. `degraded`: usable, with something missing. `stopped`: told to end before it was through. */
export type RunOutcome = "done" | "degraded" | "failed" | "stopped";

export type Sink = (event: RecordEvent) => void;

export function succeeded(result: UnitResult): boolean {
  return result.kind === "unchanged" || result.kind === "changed";
}

/** Whether what the unit is required for is there: it has succeeded, or did all but a part of its work. */
export function stands(result: UnitResult): boolean {
  return succeeded(result) || (result.kind === "degraded" && result.partial === true);
}
