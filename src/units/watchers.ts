import type { Watcher } from "../boot/unit.ts";
import { watchAddresses } from "./watch-addresses.ts";
import { watchDataSpace } from "./watch-data-space.ts";
import { watchRuleset } from "./watch-ruleset.ts";
import type { WatchedMachine } from "./watched-machine.ts";

/**
 * What calls the monitor to a unit, by the unit's name. Apart from the units, and importing none: this stays in memory for as
 * long as the node runs, and a unit with all its formats and tools is loaded only to look.
 */
export const watchers: readonly Watcher<WatchedMachine>[] = [
  { name: "ipv6-monitor", watch: watchAddresses, makesWay: true },
  { name: "nftables", watch: watchRuleset },
  { name: "data-growth", watch: watchDataSpace },
];

/** Names of the units that may be mended at any time: those with a watcher, and those with nothing but an interval. */
export const mendedAtAnyTime: readonly string[] = [...watchers.map(({ name }) => name), "backup-spool"];
