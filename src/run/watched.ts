import type { Watcher } from "../boot/unit.ts";
import type { GuestUnit, Machine, WatchedMachine } from "../units/machine.ts";

/** The monitor's view of the node: a profile's watchers and units, without those that a configuration file switches off. */
export interface Watched extends Pick<Machine, "layout" | "medium"> {
  readonly watchers: readonly Watcher<WatchedMachine>[];
  /** Names of the units that the monitor inspects as it starts. */
  readonly atStart: readonly string[];
  /** The units that the monitor inspects in its own process. */
  readonly quick: readonly GuestUnit[];
}
