import type { Inspection } from "./monitor-inspection.ts";
import { freeMemory } from "../system/processes/free-memory.ts";
import { type Host, systemHost } from "../system/host.ts";
import type { GuestUnit } from "../units/machine.ts";
import { inspectUnderLock } from "./inspect-under-lock.ts";
import { keepInspections, stateOf } from "./monitor-state.ts";
import { lockForInspection } from "../run/run-lock.ts";
import { machineFor } from "../run/machine-for.ts";
import type { Terminal } from "../run/terminal.ts";
import type { Watched } from "../run/watched.ts";

export interface QuickInspection {
  readonly unit: GuestUnit;
  readonly watched: Pick<Watched, "layout" | "medium">;
  /** When the monitor started, in seconds since the epoch. */
  readonly since: number;
  readonly signal: AbortSignal;
}

/**
 * Inspects a unit in the monitor's own process: starting another process takes several times as long as all that the unit does. The metrics
 * are left as they are, because the code that makes them would stay in memory.
 *
 * @returns `undefined` where a separate process is needed: to wait for the lock, or to read the boot's result for the unit
 */
export async function quickInspection(
  host: Host,
  { unit, watched, since, signal }: QuickInspection,
  terminal: Terminal,
): Promise<Inspection | undefined> {
  const { layout, medium } = watched;
  const release = await lockForInspection(layout, unit.name, signal);
  if (release === undefined) return undefined;
  try {
    const before = await stateOf(host, layout, { pid: process.pid, since });
    const last = before.units.find(({ name }) => name === unit.name);
    if (last === undefined) return undefined;
    const inspections = await inspectUnderLock(host, {
      units: [unit],
      layout,
      withProblem: new Set(last.problem === undefined ? [] : [unit.name]),
      machine: machineFor({
        layout,
        medium,
        keys: { deviceKey: noKeys },
        hostFor: systemHost,
      }),
      signal,
      terminal,
    });
    await keepInspections(host, layout, before, inspections);
    return inspections[0];
  } finally {
    release();
    freeMemory();
  }
}

/** The code that derives keys is not in the monitor's memory, and derived keys must not be there either. */
async function noKeys(): Promise<never> {
  throw new TypeError("a unit that is inspected in the monitor has no keys");
}
