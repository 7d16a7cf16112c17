import type { RecordEvent, Sink } from "../boot/record/record.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { recordSink, type RecordSink } from "../run/record-sink.ts";
import type { Terminal } from "../run/terminal.ts";

/** Bytes of the record from which on runs of the monitor are forgotten, and how many of the newest are then kept: /run is memory. */
const LIMIT = 1024 * 1024;
const KEPT = 256 * 1024;

/**
 * Writes the record of a run of the monitor, if there is anything to write: a look that found nothing to do leaves no trace.
 *
 * @param isNews whether it is worth a line that nothing is to be done at that unit: because there was, when it was last seen
 */
export function monitorRecordSink(layout: Layout, terminal: Terminal, isNews: (unit: string) => boolean): RecordSink {
  let record: RecordSink | undefined;
  let waiting: RecordEvent[] = [];
  let always = false;
  const sink: Sink = (event) => {
    // Each unit is a run of its own.
    if (event.event === "run-started") {
      record?.close();
      record = undefined;
      waiting = [];
      always = event.units.some(({ name }) => isNews(name));
    }
    if (record === undefined && !always && !isNoteworthy(event)) return void waiting.push(event);
    record ??= recordSink(layout, terminal);
    for (const before of waiting.splice(0)) record.sink(before);
    record.sink(event);
  };
  return { sink, close: () => record?.close() };
}

function isNoteworthy(event: RecordEvent): boolean {
  if (event.event === "interrupted") return true;
  if (event.event === "started") return event.what.kind === "action" || event.what.kind === "retry";
  return event.event === "ended" && (event.outcome.kind === "conflict" || event.outcome.kind === "failed");
}

/**
 * Forgets the oldest runs of the monitor when the record has grown too large. What the boot did, and what an operator ran,
 * stays. Only for who holds the lock: nobody else has the record open then, and who reads it sees the old or the new one.
 */
export async function boundRecord(host: Host, layout: Layout): Promise<void> {
  const { record } = layout.runFiles;
  if (((await host.stat(record))?.size ?? 0) <= LIMIT) return;
  await host.writeFile(record, withoutOldMonitorRuns((await host.readText(record)) ?? "", KEPT), { mode: 0o600 });
}

/** @param bytes at most so many, of the newest runs of the monitor, are kept */
export function withoutOldMonitorRuns(text: string, bytes: number): string {
  let left = bytes;
  const kept = runsIn(text)
    .toReversed()
    .filter((run) => {
      if (!run.byMonitor) return true;
      left -= Buffer.byteLength(run.text);
      return left >= 0;
    });
  return kept
    .toReversed()
    .map((run) => run.text)
    .join("");
}

interface Run {
  readonly byMonitor: boolean;
  /** Its lines, with their ends. */
  text: string;
}

/** One event a line; what cannot be read stays with the run that it is in: who reads the record tells of it. */
function runsIn(text: string): readonly Run[] {
  const runs: Run[] = [];
  for (const line of text.split(/(?<=\n)/)) {
    const start = startOf(line);
    const run = runs.at(-1);
    if (start !== undefined || run === undefined) runs.push({ byMonitor: start?.byMonitor === true, text: line });
    else run.text += line;
  }
  return runs;
}

/** What begins with that line; `undefined` for every other one. */
function startOf(line: string): Pick<Run, "byMonitor"> | undefined {
  const event = parsed(line);
  if (typeof event !== "object" || event === null || !("event" in event) || event.event !== "run-started") return undefined;
  const facts = "run" in event ? event.run : undefined;
  return { byMonitor: typeof facts === "object" && facts !== null && "monitor" in facts && facts.monitor === true };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
