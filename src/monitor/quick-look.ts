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
  /** When the monitor has started, in seconds since the epoch. */
  readonly since: number;
  readonly signal: AbortSignal;
}

/**
 * Looks at a unit in the process of the monitor, which runs already: a process of its own takes several times as long to start as all that the
 * unit does. The metrics are left as they are: what they are made with would stay in memory.
 *
 * @returns `undefined` where it takes a process of its own: to wait for the lock, or to read what the boot has said of the unit
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

/** What derives them is not in the monitor's memory, and neither is to be what is derived. */
async function noKeys(): Promise<never> {
  throw new TypeError("a unit that is looked at in the monitor has no keys");
}
