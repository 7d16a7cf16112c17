import { type Inspection, inspectAll } from "./monitor-inspection.ts";
import type { RunOptions } from "../boot/runner.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import type { GuestUnit, Machine } from "../units/machine.ts";
import { boundRecord, monitorRecordSink } from "./monitor-record.ts";
import { runFacts } from "../run/run-facts.ts";
import type { Terminal } from "../run/terminal.ts";

export interface InspectionUnderLock extends Pick<RunOptions<Machine>, "machine" | "mark" | "signal"> {
  readonly units: readonly GuestUnit[];
  readonly layout: Layout;
  /** Names of the units that had a problem at their last inspection: for them, a good result is worth a record. */
  readonly withProblem: ReadonlySet<string>;
  readonly terminal: Terminal;
}

/** Inspects units as the monitor does, and writes the record of it. The caller must hold the lock. */
export async function inspectUnderLock(
  host: Host,
  { units, layout, withProblem, terminal, ...options }: InspectionUnderLock,
): Promise<readonly Inspection[]> {
  await boundRecord(host, layout);
  const record = monitorRecordSink(layout, terminal, (name) => withProblem.has(name));
  const facts = { ...(await runFacts(host, layout, undefined)), monitor: true } as const;
  try {
    return await inspectAll(units, { ...options, facts, sink: record.sink });
  } finally {
    // Also after a failure: the monitor keeps running, and the descriptor would stay open.
    record.close();
  }
}
