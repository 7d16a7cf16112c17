import type { Look } from "./monitor-look.ts";
import { freeMemory } from "../system/processes/free-memory.ts";
import { type Host, systemHost } from "../system/host.ts";
import type { GuestUnit } from "../units/machine.ts";
import { lookUnderLock } from "./look-under-lock.ts";
import { keepLooks, stateOf } from "./monitor-state-file.ts";
import { lockForLook } from "../run/run-lock.ts";
import { machineFor } from "../run/machine-for.ts";
import type { Terminal } from "../run/terminal.ts";
import type { Watched } from "../run/watched.ts";

export interface QuickLook {
  readonly unit: GuestUnit;
  readonly watched: Pick<Watched, "layout" | "medium">;
  /** When the monitor started, in seconds since the epoch. */
  readonly since: number;
  readonly signal: AbortSignal;
}

/**
 * Inspects a unit in the monitor's own process: starting another process takes several times as long as all that the
 * unit does. The metrics are left as they are, because the code that makes them would stay in memory.
 *
 * @returns `undefined` where a separate process is needed: to wait for the lock, or to read the boot's result for the
 *   unit
 */
export async function quickLook(host: Host, { unit, watched, since, signal }: QuickLook, terminal: Terminal): Promise<Look | undefined> {
  const { layout, medium } = watched;
  const release = await lockForLook(layout, unit.name, signal);
  if (release === undefined) return undefined;
  try {
    const before = await stateOf(host, layout, { pid: process.pid, since });
    const last = before.units.find(({ name }) => name === unit.name);
    if (last === undefined) return undefined;
    const looks = await lookUnderLock(host, {
      units: [unit],
      layout,
      troubled: new Set(last.problem === undefined ? [] : [unit.name]),
      machine: machineFor({
        layout,
        medium,
        keys: { deviceKey: noKeys },
        hostFor: systemHost,
      }),
      signal,
      terminal,
    });
    await keepLooks(host, layout, before, looks);
    return looks[0];
  } finally {
    release();
    freeMemory();
  }
}

/** The code that derives keys is not in the monitor's memory, and derived keys must not be there either. */
async function noKeys(): Promise<never> {
  throw new TypeError("a unit that is looked at in the monitor has no keys");
}
