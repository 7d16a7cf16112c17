import type { Layout } from "../config/layout/layout.ts";
import { families, oneHot, type Sample, sample } from "../metrics/families.ts";
import { writeSamples } from "../metrics/textfile.ts";
import type { Host } from "../system/host.ts";
import { GUEST } from "./description.ts";
import { BOOTS, type GuestState } from "./guest-state.ts";
import type { GuestPlaces } from "./places.ts";

/** Writes the guest's metrics, whole or not at all. @throws ProblemError and file system errors; no guest may suffer from them */
export async function writeGuestMetrics(host: Host, layout: Layout, { textfile }: GuestPlaces, state: GuestState): Promise<void> {
  await writeSamples(host, layout, textfile, guestSamples(state));
}

/** The guest's metrics. Those of its start, its state and its huge pages have the names, labels and values that dashboards of hosts already use. */
export function guestSamples({ phase, boot, failures, hugePages }: GuestState): readonly Sample[] {
  const state = phase === "running" || phase === "stopping" ? 0 : phase === "paused" ? 2 : 1;
  // While it cannot be inspected, it may run on.
  const ofMachine =
    phase === "unknown"
      ? []
      : [
          sample(families.guestServiceStart, phase === "running" || phase === "paused", { vm_type: "default" }),
          sample(families.guestState, state, { vm: GUEST.name }),
        ];
  return [
    ...ofMachine,
    ...(hugePages === undefined ? [] : [sample(families.guestHugePages, hugePages, { vm_type: "default" })]),
    sample(families.guestFailures, failures),
    ...(boot === undefined ? [] : oneHot(families.guestBoot, "boot", BOOTS, boot)),
  ];
}
