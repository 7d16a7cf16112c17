import type { UnfinishedRun } from "../config/state/unfinished-run.ts";
import { ProblemError, type Problem } from "../base/problem.ts";
import { Attempt, type AttemptOptions, failure, type Scope, thrown } from "./attempt.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { MarkKeeper, type RunMark } from "./run-mark.ts";
import type { Counts, RunFacts, RunOutcome, Sink, UnitResult } from "./record/record.ts";
import { countResults, outcomeOf, stands } from "./record/results.ts";
import { schedule } from "./scheduler.ts";
import { spanWriter, UnitSpans } from "./spans.ts";
import type { Unit } from "./unit.ts";

export interface RunOptions<M> {
  /** Builds the machine that a unit may inspect and act on; called once per unit. */
  readonly machine: (scope: Scope) => M;
  readonly facts: RunFacts;
  /** Receives every event, in order. */
  readonly sink: Sink;
  /** Aborting it ends the run: running units are stopped, the rest are skipped. */
  readonly signal: AbortSignal;
  /** Names of units that are included only because others require them. */
  readonly prerequisites?: ReadonlySet<string>;
  /** See `Schedule`. */
  readonly arrange?: (ready: readonly Unit<M>[]) => readonly Unit<M>[];
  /** The time source; replaced in tests to make runs repeatable. */
  readonly clock?: Clock;
  /** Where the run notes the permanent change that it is about to make; without it, an interrupted run goes unreported. */
  readonly mark?: RunMark;
  /** Called once, at the end: the process's peak memory in bytes. */
  readonly peakMemory?: () => number;
}

export interface RunReport {
  readonly outcome: RunOutcome;
  readonly counts: Counts;
  readonly results: ReadonlyMap<string, UnitResult>;
}

/**
 * Milliseconds from the abort until the runner stops waiting for a unit. A tool's SIGTERM and SIGKILL fit in; the promise for the whole run
 * is 5 s.
 */
export const ABORT_GRACE = 4_000;

/**
 * Runs the units: each as soon as the units that it requires have succeeded and those that it follows have ended, all independent ones at
 * once. A failed unit stops only the units that require it; a unit that did part of its work stops none. Never throws for a unit's failure:
 * the report has it.
 *
 * @param units a sound graph (`graphProblems` finds nothing) that contains every requirement of its members
 */
export async function runUnits<M>(units: readonly Unit<M>[], options: RunOptions<M>): Promise<RunReport> {
  const clock = options.clock ?? systemClock;
  const spans = spanWriter(options.sink, clock);
  const root = spans.open();
  options.sink({
    event: "run-started",
    span: root,
    at: clock.now(),
    time: clock.date(),
    run: options.facts,
    units: units.map(({ name, requires, after, onFailure }) => ({
      name,
      requires: requires.map((requirement) => requirement.name),
      ...(after.length === 0 ? {} : { after: after.map((first) => first.name) }),
      prerequisite: options.prerequisites?.has(name) ?? false,
      onFailure,
    })),
  });
  const mark = new MarkKeeper(options.mark, { ...runName(options.facts), time: clock.date() }, clock, (before) =>
    options.sink({ event: "interrupted", span: root, at: clock.now(), before }),
  );
  await mark.inspect();
  const results = new Map<string, UnitResult>();
  const finish = ({ name }: Unit<M>, span: number, result: UnitResult): boolean => {
    spans.end(span, { kind: "unit", result });
    results.set(name, result);
    return stands(result);
  };
  // One listener for all units: adding one to a signal costs a walk along those that are already there.
  const running = new Set<() => void>();
  const stopAll = (): void => running.forEach((stop) => stop());
  options.signal.addEventListener("abort", stopAll, { once: true });
  await schedule(units, {
    ...(options.arrange === undefined ? {} : { arrange: options.arrange }),
    skip: (unit, because) =>
      finish(unit, spans.start(root, { kind: "unit", name: unit.name }), { kind: "skipped", because: because.map(({ name }) => name) }),
    run: async (unit) => {
      const span = spans.start(root, { kind: "unit", name: unit.name });
      if (options.signal.aborted) return finish(unit, span, { kind: "skipped", because: [] });
      const result = await runUnit(unit, options, { spans: new UnitSpans(span, spans), clock, running, mark });
      mark.end(unit.name);
      // The unit may have mounted the mark's place: check before anything else is done.
      await mark.inspect();
      return finish(unit, span, result);
    },
  }).finally(() => options.signal.removeEventListener("abort", stopAll));
  await mark.close();
  const ended = units.map(({ name, onFailure }) => ({ onFailure, result: results.get(name) }));
  const counts = countResults(ended);
  const reached = outcomeOf(ended);
  // A signal that arrived after all work was done has stopped nothing.
  const outcome = options.signal.aborted && reached !== "done" ? "stopped" : reached;
  const memory = options.peakMemory === undefined ? {} : { peakMemory: options.peakMemory() };
  options.sink({ event: "run-ended", span: root, at: clock.now(), outcome, counts, ...memory });
  return { outcome, counts, results };
}

interface UnitRun extends Omit<AttemptOptions, "signal"> {
  /** One function for each running unit, which stops it. */
  readonly running: Set<() => void>;
}

/** Runs one unit to its end, which comes at most one grace period after its timeout or the order to stop. */
async function runUnit<M>(unit: Unit<M>, options: RunOptions<M>, { spans, clock, running, mark }: UnitRun): Promise<UnitResult> {
  const controller = new AbortController();
  const attempt = new Attempt(unit, options.machine, { spans, clock, mark, signal: controller.signal });
  const leftBehind = Promise.withResolvers<UnitResult>();
  let why: "stopped" | "timed-out" = "timed-out";
  const giveUp = (reason: typeof why): void => {
    if (controller.signal.aborted) return;
    why = reason;
    cancel();
    // The signal stops the unit's tools within the grace period; a unit that ignores it is left behind, not waited for.
    cancel = clock.after(ABORT_GRACE, () => {
      const doing = [attempt.doing, ...spans.tools()].join(": ");
      leftBehind.resolve(failure(unit, overdue(unit, why, `${doing}; it did not react to the stop`)));
    });
    controller.abort();
  };
  let cancel = clock.after(unit.timeout, () => giveUp("timed-out"));
  const stop = (): void => giveUp("stopped");
  running.add(stop);
  const ended = attempt
    .run()
    .catch((error: unknown) => (controller.signal.aborted ? failure(unit, overdue(unit, why, attempt.doing, error)) : thrown(unit, error)));
  const result = await Promise.race([ended, leftBehind.promise]);
  cancel();
  running.delete(stop);
  // A tool may still run: the unit did not wait for it because another tool had failed.
  if (spans.tools().length > 0) controller.abort();
  spans.close();
  return result;
}

function runName({ bootId, stage }: RunFacts): Pick<UnfinishedRun, "bootId" | "run"> {
  return { bootId, run: stage ?? "run" };
}

function overdue<M>(unit: Unit<M>, late: "stopped" | "timed-out", doing: string, error?: unknown): Problem {
  // An AbortError adds nothing to this text; a tool's last output does.
  // oxlint-disable-next-line guestos/foreign-words -- a problem's message is our own
  const found = error instanceof ProblemError ? `${doing} (${error.message})` : doing;
  return late === "stopped"
    ? { code: "unit-stopped", what: "was stopped before it ended", found, todo: `run it again: guestos-boot --unit ${unit.name}` }
    : {
        code: "unit-timed-out",
        what: `did not end within ${unit.timeout / 1000} s`,
        found,
        todo: `find out what it waited for, then run it again: guestos-boot --unit ${unit.name}`,
      };
}
