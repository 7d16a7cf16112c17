import { printable } from "./serial-log.ts";

export type UnitOutcome = "changed" | "unchanged" | "degraded" | "failed" | "skipped";

export interface UnitLine {
  readonly kind: "unit";
  readonly name: string;
  readonly outcome: UnitOutcome;
  readonly seconds: number;
  readonly detail?: string;
}

export interface WaitingLine {
  readonly kind: "waiting";
  readonly unit: string;
  readonly text: string;
}

/** The last line of a boot. */
export interface EndLine {
  readonly kind: "end";
  readonly total: number;
  readonly counts: Readonly<Record<UnitOutcome, number>>;
  readonly seconds: number;
}

/** Anything else that the boot chain says: what failed, and what to do. Indentation is kept. */
export interface TextLine {
  readonly kind: "text";
  readonly text: string;
}

export type ConsoleEvent = UnitLine | WaitingLine | EndLine | TextLine;

/** The program's lines as journald forwards them, wherever on the line they begin: a prompt may be before them. */
const OURS = /(?:\[ *\d+\.\d+\] )?guestos-(?:boot|monitor)\[\d+\]: /;
/** The kernel's own lines. printk(9) writes at once, also into the middle of a line of someone else. */
const KERNEL = /\[ *\d+\.\d{6}\] /;

const UNIT = /^([a-z][a-z0-9-]*) +(changed|unchanged|degraded|failed|skipped) +(\d+(?:\.\d+)?) s(?: +— +(.*))?$/;
const WAITING = /^waiting for ([a-z][a-z0-9-]*): (.*)$/;
const END = /^boot: (\d+) units?: (\d+) changed, (\d+) unchanged, (\d+) degraded, (\d+) failed, (\d+) skipped in (\d+(?:\.\d+)?) s$/;

/**
 * What the boot chain said on the serial console, in order.
 *
 * Only complete lines count, so a log that grows can be read again and again: the events that were there stay. A line
 * into which the kernel wrote is put together again; what cannot be, becomes text and no unit.
 */
export function consoleEvents(log: string): readonly ConsoleEvent[] {
  const lines = printable(log).split("\n");
  // Nothing follows the last line end yet, or half a line does.
  lines.pop();
  const events: ConsoleEvent[] = [];
  for (const [index, line] of lines.entries()) {
    const start = OURS.exec(line);
    if (start === null) continue;
    const message = whole(line.slice(start.index + start[0].length), lines[index + 1]);
    if (message !== undefined) events.push(consoleEvent(message));
  }
  return events;
}

/** One message, without its prefix. */
function consoleEvent(message: string): ConsoleEvent {
  const line = message.trimEnd();
  const unit = UNIT.exec(line);
  if (unit !== null) {
    const [, name = "", outcome = "", seconds = "", detail] = unit;
    const fields = { kind: "unit", name, outcome: outcome as UnitOutcome, seconds: Number(seconds) } as const;
    return detail === undefined ? fields : { ...fields, detail };
  }
  const waiting = WAITING.exec(line);
  if (waiting !== null) return { kind: "waiting", unit: waiting[1] ?? "", text: waiting[2] ?? "" };
  const end = END.exec(line);
  if (end === null) return { kind: "text", text: line };
  const [total = 0, changed = 0, unchanged = 0, degraded = 0, failed = 0, skipped = 0, seconds = 0] = end.slice(1).map(Number);
  const counts = { changed, unchanged, degraded, failed, skipped };
  return { kind: "end", total, counts, seconds };
}

/**
 * The message without what the kernel wrote into it.
 *
 * @param next the line after it, where the message goes on if it was cut
 * @returns `undefined` while the rest has not come yet
 */
function whole(message: string, next: string | undefined): string | undefined {
  const intruder = KERNEL.exec(message);
  if (intruder === null) return message;
  const head = message.slice(0, intruder.index);
  if (consoleEvent(head).kind !== "text") return head;
  if (next === undefined) return undefined;
  return OURS.test(next) || KERNEL.test(next) ? head : head + next;
}

export interface BootReport {
  readonly units: readonly UnitLine[];
  /** Absent while the boot goes on. */
  readonly end?: EndLine;
}

/** What ran. A unit that ran twice, and a boot that was run again, count as they ended last. */
export function bootReport(events: readonly ConsoleEvent[]): BootReport {
  const units = new Map(events.flatMap((event) => (event.kind === "unit" ? [[event.name, event] as const] : [])));
  const end = events.findLast((event) => event.kind === "end");
  return { units: [...units.values()], ...(end === undefined ? {} : { end }) };
}

export function hasEnded({ end }: BootReport): boolean {
  return end !== undefined;
}

/** It has ended, and no unit failed or was left out. */
export function hasSucceeded({ end }: BootReport): boolean {
  return end?.counts.failed === 0 && end.counts.skipped === 0;
}

/** The table that `make boot` ends with: unit, outcome, time; then a line for all. */
export function bootTable(report: BootReport): readonly string[] {
  const width = Math.max(4, ...report.units.map(({ name }) => name.length));
  const row = (unit: string, outcome: string, time: string, detail: string): string =>
    `${unit.padEnd(width)}  ${outcome.padEnd(9)}  ${time.padStart(8)}  ${detail}`.trimEnd();
  const rows = report.units.map(({ name, outcome, seconds, detail = "" }) => row(name, outcome, `${seconds.toFixed(2)} s`, detail));
  return [row("unit", "outcome", "time", ""), ...rows, "", ...endText(report)];
}

/** The console is not a reliable channel: what it lost is said. */
function endText({ units, end }: BootReport): readonly string[] {
  if (end === undefined) return ["boot: has not ended"];
  const parts = Object.entries(end.counts).map(([outcome, count]) => `${count} ${outcome}`);
  return [
    `boot: ${end.total} units: ${parts.join(", ")} in ${end.seconds.toFixed(1)} s`,
    ...(units.length === end.total ? [] : [`boot: the console shows ${units.length} of them; guestos-boot status on the node knows all`]),
  ];
}
