import { backupSpool } from "../units/injection/backup-spool.ts";
import { dataGrowth } from "../units/disks/data-growth.ts";
import type { GuestUnit } from "../units/machine.ts";

/** What is never through: the monitor's own units, besides those of the boot chain. They are not part of a run. */
export const upkeep: readonly GuestUnit[] = [dataGrowth, backupSpool];

/** Those that a chain has something to do for: it has all that they require. */
export function upkeepOf(chain: readonly GuestUnit[]): readonly GuestUnit[] {
  const names = new Set(chain.map(({ name }) => name));
  return upkeep.filter(({ requires }) => requires.every(({ name }) => names.has(name)));
}
