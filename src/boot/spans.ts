import { type Problem, toProblem } from "../base/problem.ts";
import type { Clock } from "../base/clock.ts";
import type { Sink, SpanOutcome, SpanSubject } from "./record/record.ts";

export type SpanWriter = ReturnType<typeof spanWriter>;

/** Numbers the spans of a run and sends their events to the sink. */
export function spanWriter(sink: Sink, clock: Clock) {
  let last = 0;
  const open = (): number => ++last;
  return {
    open,
    start(parent: number, what: SpanSubject): number {
      const span = open();
      sink({ event: "started", span, parent, at: clock.now(), what });
      return span;
    },
    end: (span: number, outcome: SpanOutcome): void => sink({ event: "ended", span, at: clock.now(), outcome }),
    note: (span: number, text: string): void => sink({ event: "note", span, at: clock.now(), text }),
  };
}

/** The spans of one unit. Nothing is written after `close`: what a unit that was left behind still does is no longer part of the run. */
export class UnitSpans {
  readonly #unit: number;
  readonly #spans: SpanWriter;
  readonly #open = new Map<number, SpanSubject>();
  /** The span to which tools and notes now belong: a unit does one plan, action or wait at a time. */
  #current: number;
  #closed = false;

  constructor(unit: number, spans: SpanWriter) {
    this.#unit = unit;
    this.#current = unit;
    this.#spans = spans;
  }

  /** Starts a span below the current one. */
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

  /** The command lines of the running tools. */
  tools(): readonly string[] {
    if (this.#open.size === 0) return [];
    return [...this.#open.values()].flatMap((what) => (what.kind === "tool" ? [what.argv.join(" ")] : []));
  }

  /** Ends every open span, the innermost first, so that every started span ends. */
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
const LEFT_BEHIND: Problem = { code: "left-behind", what: "did not react to the stop" };
