import { backupSpool } from "./backup-spool.ts";
import { dataGrowth } from "./data-growth.ts";
import type { GuestUnit } from "./machine.ts";

/** What is never through: the monitor's own units, besides those of the boot chain. They are not part of a run. */
export const upkeep: readonly GuestUnit[] = [dataGrowth, backupSpool];
