import type { Watcher } from "../boot/unit.ts";
import type { ProfileName } from "../config/layout/profile-name.ts";
import { watchAddresses } from "../units/network/watch-addresses.ts";
import { watchDataSpace } from "../units/disks/watch-data-space.ts";
import { watchDantedInputs, watchNginxInputs } from "../units/services/watch-inputs.ts";
import { watchRuleset } from "../units/network/watch-ruleset.ts";
import type { WatchedMachine } from "../units/watched-machine.ts";

const addresses: Watcher<WatchedMachine> = { name: "ipv6-monitor", watch: watchAddresses, makesWay: true };

/**
 * What calls the monitor to a unit of a profile, by the unit's name. Apart from the units, and importing none: this stays in
 * memory for as long as the node runs, and a unit with all its formats and tools is loaded only to look.
 */
export const watchers: Readonly<Record<ProfileName, readonly Watcher<WatchedMachine>[]>> = {
  guestos: [addresses, { name: "nftables", watch: watchRuleset }, { name: "data-growth", watch: watchDataSpace }],
  boundary: [addresses, { name: "nginx", watch: watchNginxInputs }, { name: "danted", watch: watchDantedInputs }],
};

/** Units of a profile that are looked at in an interval of their own, and have nothing else to watch. */
const inIntervals: Readonly<Record<ProfileName, readonly string[]>> = { guestos: ["backup-spool"], boundary: [] };

/** Names of the units that may be mended at any time: those with a watcher, and those with nothing but an interval. */
export function mendedAtAnyTime(profile: ProfileName): readonly string[] {
  return [...watchers[profile].map(({ name }) => name), ...inIntervals[profile]];
}
