import type { RecordEvent, SpanSubject, UnitResult } from "../../src/boot/record/record.ts";

export interface SpanFacts {
  readonly span: number;
  readonly parent: number;
  readonly what: SpanSubject;
  readonly start: number;
  /** Position of the two events in the record: the order of what happened at the same time. */
  readonly startedAs: number;
  readonly end: number;
  readonly endedAs: number;
}

/**
 * The spans of a whole record by number, after checking that it is a tree.
 *
 * @throws Error when a span starts twice, starts before or outlives its unit, never ends, or when time runs backwards
 */
export function spanTree(events: readonly RecordEvent[]): ReadonlyMap<number, SpanFacts> {
  const spans = new Map<number, SpanFacts>();
  const last = events.at(-1);
  if (events[0]?.event !== "run-started" || last?.event !== "run-ended")
    throw new Error("a record begins with run-started and closes with run-ended");
  const root = events[0].span;
  let time = 0;
  for (const [position, event] of events.entries()) {
    if (event.at < time) throw new Error(`time runs backwards at event ${position}`);
    time = event.at;
    if (event.event === "started") {
      if (spans.has(event.span) || event.span === root) throw new Error(`span ${event.span} starts twice`);
      const parent = spans.get(event.parent);
      if (event.parent !== root && (parent === undefined || parent.endedAs !== Infinity))
        throw new Error(`span ${event.span} starts below one that is not open`);
      spans.set(event.span, { ...event, start: event.at, startedAs: position, end: Infinity, endedAs: Infinity });
    } else if (event.event === "ended") {
      const span = spans.get(event.span);
      if (span === undefined || span.endedAs !== Infinity) throw new Error(`span ${event.span} ends without having started, or twice`);
      spans.set(event.span, { ...span, end: event.at, endedAs: position });
    } else if (event.event === "note") {
      if (spans.get(event.span)?.endedAs !== Infinity) throw new Error(`a note belongs to span ${event.span}, which is not open`);
    }
  }
  for (const span of spans.values()) {
    if (span.endedAs === Infinity) throw new Error(`span ${span.span} never ends: ${JSON.stringify(span.what)}`);
    const unit = unitOf(span, spans);
    if (span.endedAs > unit.endedAs) throw new Error(`span ${span.span} outlives its unit`);
  }
  return spans;
}

function unitOf(span: SpanFacts, spans: ReadonlyMap<number, SpanFacts>): SpanFacts {
  const parent = spans.get(span.parent);
  return parent === undefined ? span : unitOf(parent, spans);
}

export interface UnitSpan extends SpanFacts {
  readonly result: UnitResult;
}

/** The unit spans of a record by unit name. @throws Error when a unit has two, or one that ends in something else than a unit's result */
export function unitSpans(events: readonly RecordEvent[]): ReadonlyMap<string, UnitSpan> {
  const spans = spanTree(events);
  const units = new Map<string, UnitSpan>();
  for (const event of events) {
    if (event.event !== "ended") continue;
    const span = spans.get(event.span);
    if (span?.what.kind !== "unit") continue;
    if (event.outcome.kind !== "unit" || units.has(span.what.name)) throw new Error(`${span.what.name} ends twice, or not as a unit`);
    units.set(span.what.name, { ...span, result: event.outcome.result });
  }
  return units;
}

/** The record in short lines, indented by depth, for tests that compare it whole. */
export function outline(events: readonly RecordEvent[]): readonly string[] {
  const depth = new Map<number, number>();
  const names = new Map<number, string>();
  const lines: string[] = [];
  for (const event of events) {
    if (event.event === "started") {
      const level = (depth.get(event.parent) ?? -1) + 1;
      depth.set(event.span, level);
      names.set(event.span, subjectText(event.what));
      lines.push(`${"  ".repeat(level)}${subjectText(event.what)}`);
    } else if (event.event === "ended") {
      lines.push(
        `${"  ".repeat(depth.get(event.span) ?? 0)}/${names.get(event.span)}: ${event.outcome.kind === "unit" ? event.outcome.result.kind : event.outcome.kind}`,
      );
    } else if (event.event === "note") {
      lines.push(`${"  ".repeat((depth.get(event.span) ?? 0) + 1)}! ${event.text}`);
    }
  }
  return lines;
}

function subjectText(what: SpanSubject): string {
  switch (what.kind) {
    case "unit":
      return what.name;
    case "action":
      return what.description;
    case "tool":
      return `$ ${what.argv.join(" ")}`;
    default:
      return what.kind;
  }
}
