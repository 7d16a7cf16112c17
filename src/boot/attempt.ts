import type { ToolObserver } from "../system/host.ts";
import { oneLine, type Problem, ProblemError, toProblem } from "../base/problem.ts";
import { type Clock, pause } from "../base/clock.ts";
import type { MarkKeeper } from "./run-mark.ts";
import type { SpanOutcome, UnitResult } from "./record/record.ts";
import type { UnitSpans } from "./spans.ts";
import { type Action, isConflict, type Plan, type Unit } from "./unit.ts";

/** What the runner hands to the function that builds the machine of a unit. */
export interface Scope {
  /** The unit's name; absent where a machine is inspected for no unit. */
  readonly unit?: string;
  /** Aborted when the unit's time is up or the run is told to stop. */
  readonly signal: AbortSignal;
  readonly onTool: ToolObserver;
  /** Tells the operator about something that does not stop the unit. */
  readonly note: (text: string) => void;
}

const FIRST_BACKOFF = 100;
const LONGEST_BACKOFF = 2_000;
/** Keeps an event that fires again and again from turning the retries into a busy loop. */
const SHORTEST_PAUSE = 50;

export interface AttemptOptions {
  readonly spans: UnitSpans;
  readonly clock: Clock;
  readonly mark: MarkKeeper;
  readonly signal: AbortSignal;
}

/** One unit's pass through plan, actions and the final plan that must be empty, with retries. */
export class Attempt<M> {
  /** What the unit is doing now, in words; read when the unit is overdue. */
  doing = "inspecting what is there";
  readonly #unit: Unit<M>;
  readonly #machine: (scope: Scope) => M;
  readonly #options: AttemptOptions;
  readonly #provisioned: string[] = [];
  readonly #activated: string[] = [];

  constructor(unit: Unit<M>, machine: (scope: Scope) => M, options: AttemptOptions) {
    this.#unit = unit;
    this.#machine = machine;
    this.#options = options;
  }

  async run(): Promise<UnitResult> {
    const { spans, clock, signal } = this.#options;
    const machine = this.#machine({
      unit: this.#unit.name,
      signal,
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
        const passing = passingError(error);
        if (passing === undefined || signal.aborted) throw error;
        deadline ??= clock.now() + this.#unit.retryFor / 1000;
        const left = Math.round((deadline - clock.now()) * 1000);
        if (left <= 0) throw error;
        await this.#waitForRetry(passing, Math.min(backoff, left));
        if (signal.aborted) throw error;
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
    this.doing = "inspecting what is there";
    const work = async (): Promise<Plan> => {
      const why = await this.#unit.absent?.(machine);
      if (why === undefined) return this.#unit.plan(machine);
      this.#options.spans.note(`absent: ${why}`);
      return [];
    };
    return this.#options.spans.within({ kind: "plan" }, work, planOutcome);
  }

  async #act(action: Action): Promise<void> {
    const { spans, mark, signal } = this.#options;
    // The tools of an action get the signal themselves; this check keeps the next action from starting.
    signal.throwIfAborted();
    this.doing = action.description;
    const work = async (): Promise<void> => {
      if (action.effect === "provision") {
        await mark.begin(this.#unit.name, action.description);
        // Writing the mark may have taken a while.
        signal.throwIfAborted();
      }
      await action.run();
    };
    await spans.within({ kind: "action", description: action.description, effect: action.effect }, work, () => ({ kind: "done" }));
    (action.effect === "provision" ? this.#provisioned : this.#activated).push(action.description);
  }

  async #waitForRetry(error: ProblemError, milliseconds: number): Promise<void> {
    const { spans, clock } = this.#options;
    this.doing = "waiting to try again";
    const over = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, over.signal]);
    const wait = async (): Promise<void> => {
      const timer = pause(clock, milliseconds, signal);
      const woken = async (wake: NonNullable<ProblemError["wake"]>): Promise<unknown> =>
        Promise.all([wake(signal), pause(clock, SHORTEST_PAUSE, signal)]).catch((reason: unknown) => {
          // Where waiting for the event fails, the timer still ends the wait.
          if (!signal.aborted) spans.note(oneLine(toProblem(reason)));
          return timer;
        });
      await Promise.race(error.wake === undefined ? [timer] : [timer, woken(error.wake)]);
      over.abort();
    };
    await spans.within({ kind: "retry", problem: error.problem }, wait, () => ({ kind: "done" }));
  }
}

/** The error, where the same call may succeed a moment later. */
function passingError(error: unknown): ProblemError | undefined {
  if (error instanceof ProblemError) return error.retryable ? error : undefined;
  const isPassing = error instanceof Error && "syscall" in error && "code" in error && PASSING.has(error.code);
  return isPassing ? new ProblemError(toProblem(error), { retryable: true }) : undefined;
}

/** errno(3): busy or interrupted; a device that went away while it was inspected. */
const PASSING = new Set<unknown>(["EAGAIN", "EBUSY", "EINTR", "ENODEV", "ENXIO"]);

/** The result of a unit that threw. */
export function thrown<M>(unit: Unit<M>, error: unknown): UnitResult {
  const problem = toProblem(error);
  // The unit did everything that the boot depends on.
  return error instanceof ProblemError && error.partial ? { kind: "degraded", problem, partial: true } : failure(unit, problem);
}

/** The result of a unit that did not succeed: `failed` or `degraded`, as its `onFailure` says. */
export function failure<M>(unit: Unit<M>, problem: Problem): UnitResult {
  return { kind: unit.onFailure === "stop" ? "failed" : "degraded", problem };
}

function planOutcome(plan: Plan): SpanOutcome {
  return isConflict(plan)
    ? { kind: "conflict", problem: plan.conflict }
    : { kind: "planned", actions: plan.map(({ description }) => description) };
}

function notConverged(rest: readonly Action[]): Problem {
  return {
    code: "did-not-converge",
    what: "did not converge: everything was done, and something is still missing",
    found: rest.map(({ description }) => description).join("; "),
    todo: "run it again; if that does not help, the record shows the output of each tool",
  };
}
