import type { ProfileName } from "../config/layout/profile-name.ts";
import type { GuestUnit } from "../units/machine.ts";
import { nftables } from "../units/network/nftables.ts";

/**
 * Units of a profile that the monitor looks at in its own process when something calls for it, because they may not wait for another one to
 * start. All that they import stays in memory for as long as the node runs, and there is little of it: a few MiB for all of them
 * (bench/monitor.ts). They have no keys, and change nothing that lasts, for no mark is kept of it (src/boot/run-mark.ts).
 */
export const quickUnits: Readonly<Record<ProfileName, readonly GuestUnit[]>> = { guestos: [nftables], boundary: [] };
