import type { Watcher } from "../boot/unit.ts";
import type { GuestUnit, Machine } from "../units/machine.ts";
import type { WatchedMachine } from "../units/watched-machine.ts";

/** The node, as far as the monitor needs to know it: of a profile, without what a configuration file switches off. */
export interface Watched extends Pick<Machine, "layout" | "medium"> {
  readonly watchers: readonly Watcher<WatchedMachine>[];
  /** Names of the units that the monitor inspects as it starts. */
  readonly atStart: readonly string[];
  /** Those units that the monitor inspects in its own process. */
  readonly quick: readonly GuestUnit[];
}
