import type { Sink } from "../boot/record/record.ts";
import type { Layout } from "../config/layout/layout.ts";
import { oneLine, toProblem } from "../base/problem.ts";
import { type LineFile, openLineFile } from "../system/files/record-file.ts";
import type { Terminal } from "./terminal.ts";

export interface RecordSink {
  readonly sink: Sink;
  readonly close: () => void;
}

/** Writes the record as it grows. A full /run must not stop a boot: the failure is reported once, and the run goes on. */
export function recordSink(layout: Layout, terminal: Terminal): RecordSink {
  let file: LineFile | undefined;
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      file?.close();
      file = undefined;
      terminal.complain(`the record of this run is incomplete: ${oneLine(toProblem(error))}`);
    }
  };
  attempt(() => {
    file = openLineFile(layout.runFiles.record);
  });
  return {
    sink: (event) => attempt(() => file?.append(JSON.stringify(event))),
    close: () => file?.close(),
  };
}
