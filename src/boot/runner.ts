import type { ToolObserver } from "../system/host.ts";
import { oneLine, type Problem, ProblemError, toProblem } from "../system/problem.ts";
import {
  type Counts,
  type RunFacts,
  type RunOutcome,
  type Sink,
  type SpanOutcome,
  type SpanSubject,
  succeeded,
  type UnitOutcome,
  type UnitResult,
} from "./record.ts";
import { schedule } from "./scheduler.ts";
import { type Action, isConflict, type Plan, type Unit } from "./unit.ts";

/** What the runner hands to whoever builds the machine that a unit sees. */
export interface Scope {
  /** Aborted when the unit's time is up or the run is told to stop. */
  readonly signal: AbortSignal;
  readonly onTool: ToolObserver;
  /** Tells the operator something that stops nothing. */
  readonly note: (text: string) => void;
}

export interface RunOptions<M> {
  /** Builds what a unit may look at and act on; called once a unit. */
  readonly machine: (scope: Scope) => M;
  readonly facts: RunFacts;
  /** Hears everything that happens, in order. */
  readonly sink: Sink;
  /** Aborting it ends the run: running units are stopped, the rest is skipped. */
  readonly signal: AbortSignal;
  /** Names of units that are there only because others require them. */
  readonly prerequisites?: ReadonlySet<string>;
  /** See `Schedule`. */
  readonly arrange?: (ready: readonly Unit<M>[]) => readonly Unit<M>[];
  /** Time; replaced in tests to make runs repeatable. */
  readonly clock?: Clock;
}

export interface Clock {
  /** Seconds of CLOCK_MONOTONIC. */
  readonly now: () => number;
  /** Wall-clock time, ISO 8601. */
  readonly date: () => string;
  /** Resolves after that many milliseconds, or as soon as the signal is aborted. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

export interface RunReport {
  readonly outcome: RunOutcome;
  readonly counts: Counts;
  readonly results: ReadonlyMap<string, UnitResult>;
}

/** Milliseconds from the abort until a unit is no longer waited for: a tool's SIGTERM and SIGKILL fit in, and 5 s is the promise for all. */
const ABORT_GRACE = 4_000;
const FIRST_BACKOFF = 100;
const LONGEST_BACKOFF = 2_000;
/** An event that comes again and again must not make a busy loop of the retries. */
const SHORTEST_PAUSE = 50;

/**
 * Runs the units: each as soon as what it requires has succeeded and what it follows has ended, all independent ones at
 * once. A unit that fails stops only what requires it. Never throws for a unit's failure: that is in the report.
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
    units: units.map(({ name, requires }) => ({
      name,
      requires: requires.map((requirement) => requirement.name),
      prerequisite: options.prerequisites?.has(name) ?? false,
    })),
  });
  const finish = (span: number, result: UnitResult): UnitResult => {
    spans.end(span, { kind: "unit", result });
    return result;
  };
  // One listener for all: each further one on the same signal would cost a walk along those that are there.
  const running = new Set<() => void>();
  const stopAll = (): void => running.forEach((stop) => stop());
  options.signal.addEventListener("abort", stopAll, { once: true });
  const results = await schedule<M, UnitResult>(units, {
    succeeded,
    ...(options.arrange === undefined ? {} : { arrange: options.arrange }),
    skip: (unit, because) =>
      finish(spans.start(root, { kind: "unit", name: unit.name }), { kind: "skipped", because: because.map(({ name }) => name) }),
    run: async (unit) => {
      const span = spans.start(root, { kind: "unit", name: unit.name });
      if (options.signal.aborted) return finish(span, { kind: "skipped", because: [] });
      return finish(span, await runUnit(unit, options, new UnitSpans(span, spans), clock, running));
    },
  }).finally(() => options.signal.removeEventListener("abort", stopAll));
  const counts = countOutcomes(results.values());
  const reached = outcomeOf(units, results);
  // A signal that came when all was done has stopped nothing.
  const outcome = options.signal.aborted && reached !== "done" ? "stopped" : reached;
  options.sink({ event: "run-ended", span: root, at: clock.now(), outcome, counts });
  return { outcome, counts, results };
}

async function runUnit<M>(
  unit: Unit<M>,
  options: RunOptions<M>,
  spans: UnitSpans,
  clock: Clock,
  running: Set<() => void>,
): Promise<UnitResult> {
  const controller = new AbortController();
  const attempt = new Attempt(unit, options, spans, clock, controller.signal);
  let late: "stopped" | "timed-out" = "timed-out";
  const ended = attempt
    .run()
    .catch((error: unknown) => failure(unit, controller.signal.aborted ? overdue(unit, late, attempt.doing, error) : toProblem(error)));
  // Ends the wait that is going on: for the time limit first, then for the grace.
  let patience = new AbortController();
  let over = false;
  const stop = (): void => {
    if (controller.signal.aborted) return;
    late = "stopped";
    patience.abort();
  };
  const leftBehind = clock.wait(unit.timeout, patience.signal).then(async (): Promise<UnitResult> => {
    if (over) return ended;
    patience = new AbortController();
    controller.abort();
    // What was started is stopped by the signal within the grace; what does not hear it is left behind, never waited for.
    await clock.wait(ABORT_GRACE, patience.signal);
    return over
      ? ended
      : failure(unit, overdue(unit, late, `${[attempt.doing, ...spans.tools()].join(": ")}, which did not hear that it was to stop`));
  });
  running.add(stop);
  try {
    const result = await Promise.race([ended, leftBehind]);
    // A tool that still runs was not waited for, because another one had failed.
    if (spans.tools().length > 0) controller.abort();
    spans.close();
    return result;
  } finally {
    over = true;
    patience.abort(over);
    running.delete(stop);
  }
}

/** One unit's way through plan, actions and the plan that must then be empty, with retries. */
class Attempt<M> {
  /** What is going on, in words, for whoever asks while it lasts. */
  doing = "looking at what is there";
  readonly #unit: Unit<M>;
  readonly #options: RunOptions<M>;
  readonly #spans: UnitSpans;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #provisioned: string[] = [];
  readonly #activated: string[] = [];

  constructor(unit: Unit<M>, options: RunOptions<M>, spans: UnitSpans, clock: Clock, signal: AbortSignal) {
    this.#unit = unit;
    this.#options = options;
    this.#spans = spans;
    this.#clock = clock;
    this.#signal = signal;
  }

  async run(): Promise<UnitResult> {
    const spans = this.#spans;
    const machine = this.#options.machine({
      signal: this.#signal,
      note: (text) => spans.note(text),
      onTool: (command) => {
        const tool = spans.start({ kind: "tool", argv: [command.program, ...command.args] });
        return (ending, stderr) => spans.end(tool, { kind: "tool", ending, stderr });
      },
    });
    let deadline: number | undefined;
    for (let backoff = FIRST_BACKOFF; ; backoff = Math.min(backoff * 2, LONGEST_BACKOFF)) {
      try {
        return await this.#once(machine);
      } catch (error) {
        if (!(error instanceof ProblemError && error.retryable) || this.#signal.aborted) throw error;
        deadline ??= this.#clock.now() + this.#unit.retryFor / 1000;
        const left = (deadline - this.#clock.now()) * 1000;
        if (left <= 0) throw error;
        await this.#waitForRetry(error, Math.min(backoff, left));
        if (this.#signal.aborted) throw error;
      }
    }
  }

  async #once(machine: M): Promise<UnitResult> {
    const plan = await this.#plan(machine);
    if (isConflict(plan)) return failure(this.#unit, plan.conflict);
    for (const action of plan) await this.#act(action);
    if (plan.length > 0) {
      const rest = await this.#plan(machine);
      if (isConflict(rest)) return failure(this.#unit, rest.conflict);
      if (rest.length > 0) return failure(this.#unit, notConverged(rest));
    }
    return this.#provisioned.length > 0
      ? { kind: "changed", provisioned: this.#provisioned, activated: this.#activated }
      : { kind: "unchanged", activated: this.#activated };
  }

  async #plan(machine: M): Promise<Plan> {
    this.doing = "looking at what is there";
    return this.#spans.within({ kind: "plan" }, async () => this.#unit.plan(machine), planOutcome);
  }

  async #act(action: Action): Promise<void> {
    // The tools of an action hear the signal by themselves; this keeps the next one from starting at all.
    this.#signal.throwIfAborted();
    this.doing = action.description;
    await this.#spans.within({ kind: "action", description: action.description, effect: action.effect }, action.run, () => ({
      kind: "done",
    }));
    (action.effect === "provision" ? this.#provisioned : this.#activated).push(action.description);
  }

  async #waitForRetry(error: ProblemError, milliseconds: number): Promise<void> {
    this.doing = "waiting to try again";
    const over = new AbortController();
    const signal = AbortSignal.any([this.#signal, over.signal]);
    const wait = async (): Promise<void> => {
      const timer = this.#clock.wait(milliseconds, signal);
      const woken = async (wake: NonNullable<ProblemError["wake"]>): Promise<unknown> =>
        Promise.all([wake(signal), this.#clock.wait(SHORTEST_PAUSE, signal)]).catch((reason: unknown) => {
          // Who cannot wait for the event still has the timer.
          if (!signal.aborted) this.#spans.note(oneLine(toProblem(reason)));
          return timer;
        });
      await Promise.race(error.wake === undefined ? [timer] : [timer, woken(error.wake)]);
      over.abort();
    };
    await this.#spans.within({ kind: "retry", problem: error.problem }, wait, () => ({ kind: "done" }));
  }
}

/** The spans of one unit. Nothing is written once it is closed: what a unit that was left behind still does is no longer part of the run. */
class UnitSpans {
  readonly #unit: number;
  readonly #spans: SpanWriter;
  readonly #open = new Map<number, SpanSubject>();
  /** The span that tools and notes now belong to: a unit does one thing at a time. */
  #current: number;
  #closed = false;

  constructor(unit: number, spans: SpanWriter) {
    this.#unit = unit;
    this.#current = unit;
    this.#spans = spans;
  }

  /** Starts a span below the one that is going on. */
  start(what: SpanSubject): number {
    if (this.#closed) return NOT_RECORDED;
    const span = this.#spans.start(this.#current, what);
    this.#open.set(span, what);
    return span;
  }

  end(span: number, outcome: SpanOutcome): void {
    if (this.#open.delete(span)) this.#spans.end(span, outcome);
  }

  note(text: string): void {
    if (!this.#closed) this.#spans.note(this.#current, text);
  }

  /** Does the work in a span of its own. */
  async within<T>(what: SpanSubject, work: () => Promise<T>, outcome: (value: T) => SpanOutcome): Promise<T> {
    const span = this.start(what);
    this.#current = span;
    try {
      const value = await work();
      this.end(span, outcome(value));
      return value;
    } catch (error) {
      this.end(span, { kind: "failed", problem: toProblem(error) });
      throw error;
    } finally {
      this.#current = this.#unit;
    }
  }

  /** The command lines of the tools that are running. */
  tools(): readonly string[] {
    return [...this.#open.values()].flatMap((what) => (what.kind === "tool" ? [what.argv.join(" ")] : []));
  }

  /** Ends what is still open, the innermost first: every span that was started ends. */
  close(): void {
    for (const [span, what] of [...this.#open].toReversed()) {
      this.end(
        span,
        what.kind === "tool" ? { kind: "tool", ending: { kind: "cancelled" }, stderr: "" } : { kind: "failed", problem: LEFT_BEHIND },
      );
    }
    this.#closed = true;
  }
}

const NOT_RECORDED = 0;
const LEFT_BEHIND: Problem = { what: "did not end when it was told to stop" };

function planOutcome(plan: Plan): SpanOutcome {
  return isConflict(plan)
    ? { kind: "conflict", problem: plan.conflict }
    : { kind: "planned", actions: plan.map(({ description }) => description) };
}

function failure<M>(unit: Unit<M>, problem: Problem): UnitResult {
  return { kind: unit.onFailure === "stop" ? "failed" : "degraded", problem };
}

function notConverged(rest: readonly Action[]): Problem {
  return {
    what: "did not converge: everything was done, and something is still missing",
    found: rest.map(({ description }) => description).join("; "),
    todo: "run it again; if it stays, the record shows what each tool answered",
  };
}

function overdue<M>(unit: Unit<M>, late: "stopped" | "timed-out", doing: string, error?: unknown): Problem {
  // An AbortError says no more than what is said here; a tool's last words do.
  const found = error instanceof ProblemError ? `${doing} (${error.message})` : doing;
  return late === "stopped"
    ? { what: "was stopped before it was through", found, todo: `run it again: guestos-boot --unit ${unit.name}` }
    : {
        what: `did not end within ${unit.timeout / 1000} s`,
        found,
        todo: `find out what it waited for, then run it again: guestos-boot --unit ${unit.name}`,
      };
}

function countOutcomes(results: Iterable<UnitResult>): Counts {
  const counts: Record<UnitOutcome, number> = { changed: 0, unchanged: 0, degraded: 0, failed: 0, skipped: 0 };
  for (const { kind } of results) counts[kind] += 1;
  return counts;
}

/** A unit skipped for want of one that the boot can do without is itself no reason to fail, unless its own failure would be. */
function outcomeOf<M>(units: readonly Unit<M>[], results: ReadonlyMap<string, UnitResult>): RunOutcome {
  const bad = units.filter((unit) => !succeeded(results.get(unit.name) ?? { kind: "skipped", because: [] }));
  if (bad.length === 0) return "done";
  return bad.some((unit) => unit.onFailure === "stop") ? "failed" : "degraded";
}

interface SpanWriter {
  open(): number;
  start(parent: number, what: SpanSubject): number;
  end(span: number, outcome: SpanOutcome): void;
  note(span: number, text: string): void;
}

function spanWriter(sink: Sink, clock: Clock): SpanWriter {
  let last = 0;
  const open = (): number => ++last;
  return {
    open,
    start(parent, what) {
      const span = open();
      sink({ event: "started", span, parent, at: clock.now(), what });
      return span;
    },
    end: (span, outcome) => sink({ event: "ended", span, at: clock.now(), outcome }),
    note: (span, text) => sink({ event: "note", span, at: clock.now(), text }),
  };
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: () => Number(process.hrtime.bigint() / 1000n) / 1e6,
  date: () => new Date().toISOString(),
  wait: (milliseconds, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      signal.addEventListener("abort", done, { once: true });
      return undefined;
    }),
};
