import type { RecordEvent } from "../boot/record/record.ts";
import { oneLine, toProblem } from "../base/problem.ts";
import type { Layout } from "../config/layout/layout.ts";
import { type LineFile, openLineFile } from "../system/files/record-file.ts";
import type { Terminal } from "./terminal.ts";

/** A file of JSON lines. */
export interface LineSink<T> {
  readonly sink: (value: T) => void;
  readonly close: () => void;
}

export type RecordSink = LineSink<RecordEvent>;

/** Writes the record as it grows. */
export function recordSink(layout: Layout, terminal: Terminal): RecordSink {
  return lineSink(layout.runFiles.record, "the record of this run", terminal);
}

/** A full /run must not stop a boot: the failure is reported once, and the run goes on. */
export function lineSink<T>(path: string, what: string, terminal: Terminal): LineSink<T> {
  let file: LineFile | undefined;
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      file?.close();
      file = undefined;
      terminal.complain(`${what} is incomplete: ${oneLine(toProblem(error))}`);
    }
  };
  attempt(() => {
    file = openLineFile(path);
  });
  return {
    sink: (value) => attempt(() => file?.append(JSON.stringify(value))),
    close: () => file?.close(),
  };
}
