import { type Look, lookAt } from "./monitor-look.ts";
import type { RunOptions } from "../boot/runner.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { Host } from "../system/host.ts";
import type { GuestUnit, Machine } from "../units/machine.ts";
import { boundRecord, monitorRecordSink } from "./monitor-record.ts";
import { runFacts } from "../run/run-facts.ts";
import type { Terminal } from "../run/terminal.ts";

export interface LookUnderLock extends Pick<RunOptions<Machine>, "machine" | "mark" | "signal"> {
  readonly units: readonly GuestUnit[];
  readonly layout: Layout;
  /** Names of the units that had a problem when they were last seen: that all is well there is worth a line. */
  readonly troubled: ReadonlySet<string>;
  readonly terminal: Terminal;
}

/** Looks at units as the monitor does, and writes the record of it. Only for who holds the lock. */
export async function lookUnderLock(
  host: Host,
  { units, layout, troubled, terminal, ...options }: LookUnderLock,
): Promise<readonly Look[]> {
  await boundRecord(host, layout);
  const record = monitorRecordSink(layout, terminal, (name) => troubled.has(name));
  const facts = { ...(await runFacts(host, layout, undefined)), monitor: true } as const;
  try {
    return await lookAt(units, { ...options, facts, sink: record.sink });
  } finally {
    // Also when it fails: the monitor stays, and so would the descriptor.
    record.close();
  }
}
