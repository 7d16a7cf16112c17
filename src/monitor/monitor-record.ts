import type { RecordEvent, Sink } from "../boot/record/record.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import { recordSink, type RecordSink } from "../run/record-sink.ts";
import type { Terminal } from "../run/terminal.ts";
import { jsonIn } from "../base/json.ts";

/** Size of the record, in bytes, above which runs of the monitor are dropped, and how many bytes of the newest stay: /run is memory. */
const LIMIT = 1024 * 1024;
const KEPT = 256 * 1024;

/**
 * Writes the record of a monitor's run only if it is noteworthy: an inspection that found nothing to do is not recorded.
 *
 * @param hadProblem whether a run without a finding is worth recording for that unit, because its last inspection found a problem
 */
export function monitorRecordSink(layout: Layout, terminal: Terminal, hadProblem: (unit: string) => boolean): RecordSink {
  let record: RecordSink | undefined;
  let waiting: RecordEvent[] = [];
  let always = false;
  const sink: Sink = (event) => {
    // Each unit is a run of its own.
    if (event.event === "run-started") {
      record?.close();
      record = undefined;
      waiting = [];
      always = event.units.some(({ name }) => hadProblem(name));
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
 * Drops the oldest runs of the monitor when the record has grown too large. The boot's runs and an operator's runs stay. The caller must
 * hold the lock, so that no other process has the record open for writing. A reader sees the old or the new file.
 */
export async function boundRecord(host: Host, layout: Layout): Promise<void> {
  const { record } = layout.runFiles;
  if (((await host.stat(record))?.size ?? 0) <= LIMIT) return;
  await host.writeFile(record, withoutOldMonitorRuns((await host.readText(record)) ?? "", KEPT), { mode: 0o600 });
}

/** @param bytes the most bytes of monitor runs to keep, the newest first */
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

/** One event per line. An unreadable line stays with its run; the reader of the record reports it. */
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

/** The run that begins with that line; `undefined` for every other line. */
function startOf(line: string): Pick<Run, "byMonitor"> | undefined {
  const event = jsonIn(line);
  if (typeof event !== "object" || event === null || !("event" in event) || event.event !== "run-started") return undefined;
  const facts = "run" in event ? event.run : undefined;
  return { byMonitor: typeof facts === "object" && facts !== null && "monitor" in facts && facts.monitor === true };
}
