import type { Problem } from "../../base/problem.ts";
import type { RecordEvent, RunOutcome, Sink, SpanSubject, UnitResult } from "../record/record.ts";
import { interruptionText, noteText, problemText, summaryLine, unitLine } from "./run-text.ts";
import { RunReader, shownUnits, type UnitView } from "../record/run-view.ts";

export type LogLevel = "info" | "notice" | "warn" | "error";

/** One log entry: a message for people, and fields for programs. Never a secret. */
export interface LogLine {
  readonly level: LogLevel;
  /** May have several lines: the first one says what happened. */
  readonly message: string;
  /** Lower-case names; unknown values are left out. */
  readonly fields: Readonly<Record<string, string | number>>;
}

/**
 * Turns a run into log lines: its start, each finished action, the reason for a retry, each note, each unit's ending, its end. The
 * arguments and answers of tools are in the record only.
 */
export function logSink(write: (line: LogLine) => void): Sink {
  const reader = new RunReader();
  const subjects = new Map<number, SpanSubject>();
  const reasons = new Map<string, string>();
  /** A unit that is retried every second logs this once, until the reason changes. */
  const retried = ({ name }: UnitView, reason: string, about: Readonly<Record<string, string>>): void => {
    if (reasons.get(name) === reason) return;
    reasons.set(name, reason);
    write({ level: "notice", message: `${name}: will be retried: ${noteText(reason)}`, fields: { event: "retry", ...about } });
  };
  return (event: RecordEvent) => {
    const unit = reader.read(event);
    const { stage, version, slot, bootId } = reader.run.facts;
    const about = { stage: stage ?? "run", ...(unit === undefined ? {} : { unit: unit.name }) };
    switch (event.event) {
      case "run-started":
        return write({
          level: "info",
          message: `${about.stage}: started, version ${version}, slot ${slot ?? "unknown"}`,
          fields: { event: "run-started", ...about, version, boot: bootId, ...(slot === undefined ? {} : { slot }) },
        });
      case "started":
        subjects.set(event.span, event.what);
        if (event.what.kind === "retry" && unit !== undefined) retried(unit, event.what.problem.what, about);
        return;
      case "interrupted":
        return write({
          level: "notice",
          message: `${about.stage}: ${interruptionText(event.before, reader.run)}; what is missing is done now`,
          fields: { event: "interrupted", ...about, boot: event.before.bootId },
        });
      case "note":
        if (unit !== undefined) {
          write({ level: "notice", message: `note from ${unit.name}: ${noteText(event.text)}`, fields: { event: "note", ...about } });
        }
        return;
      case "ended": {
        const subject = subjects.get(event.span);
        subjects.delete(event.span);
        if (unit === undefined) return;
        if (event.outcome.kind === "unit") {
          if (shownUnits(reader.run).includes(unit)) write(unitEnding(unit, event.outcome.result, about));
          return;
        }
        if (subject?.kind !== "action" || event.outcome.kind !== "done") return;
        const { description, effect } = subject;
        return write({
          level: "info",
          message: `${unit.name}: ${noteText(description)}`,
          fields: { event: "action", ...about, action: description, effect },
        });
      }
      case "run-ended":
        return write({
          level: RUN_LEVELS[event.outcome],
          message: summaryLine(reader.run),
          fields: { event: "run-ended", ...about, outcome: event.outcome, seconds: seconds(event.at - reader.run.startedAt) },
        });
    }
  };
}

const RUN_LEVELS: Readonly<Record<RunOutcome, LogLevel>> = { done: "info", degraded: "warn", failed: "error", stopped: "notice" };
/** A skipped unit is a consequence of the failure that its cause already logs; it is no second failure. */
const UNIT_LEVELS = { changed: "info", unchanged: "info", degraded: "warn", failed: "error", skipped: "notice" } as const;

function unitEnding(unit: UnitView, result: UnitResult, about: Readonly<Record<string, string>>): LogLine {
  const took = (unit.endedAt ?? 0) - (unit.startedAt ?? 0);
  return {
    level: UNIT_LEVELS[result.kind],
    message: "problem" in result ? failureText(unit.name, result, took) : unitLine(unit),
    fields: {
      ...{ event: "unit", ...about, outcome: result.kind, seconds: seconds(took) },
      ...("problem" in result ? { code: result.problem.code } : {}),
    },
  };
}

/** Like the unit's line, but not shortened, and with the details that a console shows at the end: a journal entry is read alone. */
function failureText(name: string, { kind, problem }: Extract<UnitResult, { readonly problem: Problem }>, took: number): string {
  const details = problemText({ ...problem, what: "" }).slice(1);
  const first = `${name.padEnd(20)} ${kind.padEnd(9)} ${took.toFixed(2)} s — ${noteText(problem.what)}`;
  return [first, ...details.map((line) => `  ${line}`)].join("\n");
}

function seconds(value: number): number {
  return Math.round(value * 1000) / 1000;
}
