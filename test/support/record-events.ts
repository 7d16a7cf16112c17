import type { RecordEvent, RunFacts, RunOutcome, SpanOutcome, SpanSubject, UnitFacts, UnitResult } from "../../src/boot/record/record.ts";

/** Events of a run, as a runner would write them, from a script that says what happened when. */
export class EventScript {
  readonly events: RecordEvent[] = [];
  #last = 0;
  readonly #names = new Map<string, number>();

  constructor(
    units: readonly (Partial<UnitFacts> & { readonly name: string })[],
    { at = 0, ...facts }: Partial<RunFacts> & { readonly at?: number } = {},
  ) {
    this.events.push({
      event: "run-started",
      span: ++this.#last,
      at,
      time: "2026-10-05T10:15:00.000Z",
      run: { bootId: "6f3c1a5e-0000-4000-8000-000000000001", version: "1.2.3", slot: "A", pid: 312, stage: undefined, ...facts },
      units: units.map((unit) => ({ requires: [], prerequisite: false, onFailure: "stop", ...unit })),
    });
  }

  /** @returns the span that was begun */
  start(at: number, what: SpanSubject, parent = 1): number {
    this.events.push({ event: "started", span: ++this.#last, parent, at, what });
    return this.#last;
  }

  unit(at: number, name: string): number {
    const span = this.start(at, { kind: "unit", name });
    this.#names.set(name, span);
    return span;
  }

  end(at: number, span: number, outcome: SpanOutcome): this {
    this.events.push({ event: "ended", span, at, outcome });
    return this;
  }

  ended(at: number, name: string, result: UnitResult): this {
    return this.end(at, this.#names.get(name) ?? this.unit(at, name), { kind: "unit", result });
  }

  note(at: number, span: number, text: string): this {
    this.events.push({ event: "note", span, at, text });
    return this;
  }

  finish(at: number, outcome: RunOutcome): this {
    this.events.push({
      event: "run-ended",
      span: 1,
      at,
      outcome,
      counts: { changed: 0, unchanged: 0, degraded: 0, failed: 0, skipped: 0 },
    });
    return this;
  }
}
