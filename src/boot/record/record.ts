import type { UnfinishedRun } from "../../config/state/unfinished-run.ts";
import type { Ending } from "../../system/command.ts";
import type { Problem } from "../../base/problem.ts";

/**
 * The events of a run, written as they happen: a tree of spans. A run holds units; a unit holds plans, actions and
 * waits for a retry; each of those holds tool runs. Times are seconds of CLOCK_MONOTONIC, as in systemd's own
 * timestamps, so that the two can be compared.
 */
export type RecordEvent =
  | {
      readonly event: "run-started";
      readonly span: number;
      readonly at: number;
      /** Wall-clock time, ISO 8601. */
      readonly time: string;
      readonly run: RunFacts;
      /** The units of the run, in chain order; a `prerequisite` is included only because another unit requires it. */
      readonly units: readonly UnitFacts[];
    }
  | { readonly event: "started"; readonly span: number; readonly parent: number; readonly at: number; readonly what: SpanSubject }
  | { readonly event: "ended"; readonly span: number; readonly at: number; readonly outcome: SpanOutcome }
  /** An earlier run was cut off, by a power loss or a kill. At most once per run, as soon as the mark can be read. */
  | { readonly event: "interrupted"; readonly span: number; readonly at: number; readonly before: UnfinishedRun }
  | { readonly event: "note"; readonly span: number; readonly at: number; readonly text: string }
  | {
      readonly event: "run-ended";
      readonly span: number;
      readonly at: number;
      readonly outcome: RunOutcome;
      readonly counts: Counts;
      /** The peak memory of the program itself, without its tools, in bytes. */
      readonly peakMemory?: number;
    };

/** The properties of a unit that a reader of the record needs to interpret its ending. */
export interface UnitFacts {
  readonly name: string;
  readonly requires: readonly string[];
  /** Order only; absent where there are none. Some may not be part of the run. */
  readonly after?: readonly string[];
  readonly prerequisite: boolean;
  readonly onFailure: "stop" | "degrade";
}

/** The halves of a boot: `early` ends before the rest of the system starts, `late` waits for the system bus. */
export type Stage = "early" | "late";

/** Which program ran, in which boot, and why. */
export interface RunFacts {
  readonly bootId: string;
  readonly version: string;
  readonly slot: string | undefined;
  readonly pid: number;
  /**
   * `boot`: the boot itself. `early` or `late`: a half of it, started by an operator, or by a release in which each
   * half was a process of its own. `undefined`: any other run that an operator started.
   */
  readonly stage: Stage | "boot" | undefined;
  /** The monitor started the run on its own; no operator asked for it. */
  readonly monitor?: true;
}

export type SpanSubject =
  | { readonly kind: "unit"; readonly name: string }
  | { readonly kind: "plan" }
  | { readonly kind: "action"; readonly description: string; readonly effect: "provision" | "activate" }
  /** Waiting until a retry is worthwhile, and the reason. */
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
  /** No action with an effect that survives a reboot was needed. */
  | { readonly kind: "unchanged"; readonly activated: readonly string[] }
  | { readonly kind: "changed"; readonly provisioned: readonly string[]; readonly activated: readonly string[] }
  /** It failed, and the boot goes on without it. With `partial`, it did all its work but for this problem. */
  | { readonly kind: "degraded"; readonly problem: Problem; readonly partial?: true }
  | { readonly kind: "failed"; readonly problem: Problem }
  /** It was not started: a requirement did not succeed, or the run was stopped. */
  | { readonly kind: "skipped"; readonly because: readonly string[] };

export type UnitOutcome = UnitResult["kind"];
export type Counts = Readonly<Record<UnitOutcome, number>>;

/** `done`: everything succeeded. `degraded`: usable, with something missing. `stopped`: told to end before it had finished. */
export type RunOutcome = "done" | "degraded" | "failed" | "stopped";

export type Sink = (event: RecordEvent) => void;

export function succeeded(result: UnitResult): boolean {
  return result.kind === "unchanged" || result.kind === "changed";
}

/** Whether the units that require this one can rely on it: it succeeded, or did all but a part of its work. */
export function stands(result: UnitResult): boolean {
  return succeeded(result) || (result.kind === "degraded" && result.partial === true);
}
