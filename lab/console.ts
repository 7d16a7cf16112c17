import { printable } from "./serial-log.ts";

export type UnitOutcome = "changed" | "unchanged" | "degraded" | "failed" | "skipped";
export type StageName = "early" | "late";

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

/** The last line of a stage. */
export interface StageLine {
  readonly kind: "stage";
  readonly stage: StageName;
  readonly total: number;
  readonly counts: Readonly<Record<UnitOutcome, number>>;
  readonly seconds: number;
}

/** Anything else that the boot chain says: what failed, and what to do. Indentation is kept. */
export interface TextLine {
  readonly kind: "text";
  readonly text: string;
}

export type ConsoleEvent = UnitLine | WaitingLine | StageLine | TextLine;

/** The program's lines as journald forwards them, wherever on the line they begin: a prompt may stand before them. */
const OURS = /(?:\[ *\d+\.\d+\] )?guestos-(?:boot|monitor)\[\d+\]: /;
/** The kernel's own lines. printk(9) writes at once, also into the middle of a line of somebody else. */
const KERNEL = /\[ *\d+\.\d{6}\] /;

const UNIT = /^([a-z][a-z0-9-]*) +(changed|unchanged|degraded|failed|skipped) +(\d+(?:\.\d+)?) s(?: +— +(.*))?$/;
const WAITING = /^waiting for ([a-z][a-z0-9-]*): (.*)$/;
const STAGE =
  /^(early|late): (\d+) units?: (\d+) changed, (\d+) unchanged, (\d+) degraded, (\d+) failed, (\d+) skipped in (\d+(?:\.\d+)?) s$/;

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
  const stage = STAGE.exec(line);
  if (stage === null) return { kind: "text", text: line };
  const [total = 0, changed = 0, unchanged = 0, degraded = 0, failed = 0, skipped = 0, seconds = 0] = stage.slice(2).map(Number);
  const counts = { changed, unchanged, degraded, failed, skipped };
  return { kind: "stage", stage: stage[1] === "late" ? "late" : "early", total, counts, seconds };
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
  readonly units: readonly (UnitLine & { readonly stage: StageName })[];
  readonly stages: Readonly<Partial<Record<StageName, StageLine>>>;
}

/** What ran, by stage. A unit that ran twice counts as it ended last. */
export function bootReport(events: readonly ConsoleEvent[]): BootReport {
  const units = new Map<string, UnitLine & { readonly stage: StageName }>();
  const stages: Partial<Record<StageName, StageLine>> = {};
  for (const event of events) {
    if (event.kind === "stage") stages[event.stage] = event;
    if (event.kind === "unit") units.set(event.name, { ...event, stage: stages.early === undefined ? "early" : "late" });
  }
  return { units: [...units.values()], stages };
}

/** Whether both stages have ended. */
export function hasEnded({ stages }: BootReport): boolean {
  return stages.early !== undefined && stages.late !== undefined;
}

/** Both stages have ended, and no unit failed or was left out. */
export function hasSucceeded(report: BootReport): boolean {
  const stages = [report.stages.early, report.stages.late];
  return stages.every((stage) => stage !== undefined && stage.counts.failed === 0 && stage.counts.skipped === 0);
}

/** The table that `make boot` ends with: unit, outcome, time; then a line a stage. */
export function bootTable(report: BootReport): readonly string[] {
  const width = Math.max(4, ...report.units.map(({ name }) => name.length));
  const row = (unit: string, outcome: string, time: string, detail: string): string =>
    `${unit.padEnd(width)}  ${outcome.padEnd(9)}  ${time.padStart(8)}  ${detail}`.trimEnd();
  const rows = report.units.map(({ name, outcome, seconds, detail = "" }) => row(name, outcome, `${seconds.toFixed(2)} s`, detail));
  const stages = (["early", "late"] as const).flatMap((name) => {
    const stage = report.stages[name];
    return stage === undefined ? [`${name}: has not ended`] : [stageText(stage)].concat(missingText(report, stage));
  });
  return [row("unit", "outcome", "time", ""), ...rows, "", ...stages];
}

function stageText({ stage, total, counts, seconds }: StageLine): string {
  const parts = Object.entries(counts).map(([outcome, count]) => `${count} ${outcome}`);
  return `${stage}: ${total} units: ${parts.join(", ")} in ${seconds.toFixed(1)} s`;
}

/** The console is not a reliable channel: what it lost is said. */
function missingText(report: BootReport, { stage, total }: StageLine): readonly string[] {
  const shown = report.units.filter((unit) => unit.stage === stage).length;
  return shown === total ? [] : [`${stage}: the console shows ${shown} of them; guestos-boot status on the node knows all`];
}
