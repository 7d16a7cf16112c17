import type { RecordEvent } from "../boot/record/record.ts";

/** The work of a unit, over all runs of a boot. */
export interface UnitWork {
  /** Seconds that its tools ran, each counted separately: two at once count twice. */
  readonly toolSeconds: number;
  readonly tools: number;
  readonly retries: number;
  /** When its last successful action ended, in seconds since the epoch. */
  readonly lastAction?: number;
}

type Open = { -readonly [Key in keyof UnitWork]: UnitWork[Key] };

/** Reads the events of a boot's record, which may have several runs. @returns the work of each unit that was started */
export function unitWork(events: readonly RecordEvent[]): ReadonlyMap<string, UnitWork> {
  const units = new Map<string, Open>();
  /** For each span: its unit, its kind, and its start. Span numbers start again in each run. */
  const spans = new Map<number, { readonly unit: Open; readonly kind: string; readonly at: number }>();
  /** Add this to the monotonic clock for seconds since the epoch. */
  let epoch = 0;
  for (const event of events) {
    switch (event.event) {
      case "run-started":
        spans.clear();
        epoch = Date.parse(event.time) / 1000 - event.at;
        break;
      case "started": {
        const { what } = event;
        const unit = what.kind === "unit" ? workOf(units, what.name) : spans.get(event.parent)?.unit;
        if (unit === undefined) break;
        spans.set(event.span, { unit, kind: what.kind, at: event.at });
        if (what.kind === "tool") unit.tools += 1;
        if (what.kind === "retry") unit.retries += 1;
        break;
      }
      case "ended": {
        const span = spans.get(event.span);
        if (span?.kind === "tool") span.unit.toolSeconds += event.at - span.at;
        if (span?.kind === "action" && event.outcome.kind === "done") span.unit.lastAction = epoch + event.at;
        break;
      }
      case "interrupted":
      case "note":
      case "run-ended":
        break;
    }
  }
  return units;
}

function workOf(units: Map<string, Open>, name: string): Open {
  const known = units.get(name);
  if (known !== undefined) return known;
  const made: Open = { toolSeconds: 0, tools: 0, retries: 0 };
  units.set(name, made);
  return made;
}
