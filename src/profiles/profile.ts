import type { Watcher } from "../boot/unit.ts";
import type { Layout } from "../config/layout/layout.ts";
import type { MediumContents } from "../medium/medium-contents.ts";
import type { HealthCheck } from "../upgrade/health.ts";
import type { GuestUnit, WatchedMachine } from "../units/machine.ts";

/**
 * A system that this program boots, in one object (docs/profiles.md).
 *
 * Units, medium and watchers are behind functions that import them. So a command that only needs the layout loads no unit, and the monitor,
 * which stays in memory, loads its watchers alone.
 */
export interface Profile {
  /** The system's name for people: "a GuestOS". */
  readonly title: string;
  readonly layout: Layout;
  /** The units, in boot order. The order is for readers: `requires` and `after` of each unit decide when it runs. */
  readonly chain: () => Promise<readonly GuestUnit[]>;
  /** The entries that a configuration medium of this system may hold, and their targets. */
  readonly medium: () => Promise<MediumContents>;
  /** The monitor's own units, besides the chain, for work that is never complete. They are not part of a boot. */
  readonly maintenance: () => Promise<readonly GuestUnit[]>;
  /** The watchers that call the monitor to a unit, by the unit's name. */
  readonly watchers: () => Promise<readonly Watcher<WatchedMachine>[]>;
  /** Names of the units that the monitor inspects in an interval of their own, and that have no watcher. */
  readonly atIntervals: readonly string[];
  /** What a new version of this system must pass before it is kept, besides its boot chain. */
  readonly health: () => Promise<readonly HealthCheck[]>;
  /**
   * Units that the monitor inspects in its own process when a watcher calls, because they must not wait for another process to start. Their
   * imports stay in memory. They have no keys and change nothing permanently, because no mark is kept of it (src/run/run-mark.ts).
   */
  readonly quick: () => Promise<readonly GuestUnit[]>;
}

/** @returns names of the units that the monitor may repair at any time: those with a watcher, and those with an interval of their own */
export async function repairedAtAnyTime({ watchers, atIntervals }: Profile): Promise<readonly string[]> {
  return [...(await watchers()).map(({ name }) => name), ...atIntervals];
}
