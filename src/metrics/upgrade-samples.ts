import type { Slot } from "../config/layout/layout.ts";
import { type Cycle, grubBoot, otherSlot } from "../upgrade/boot-state.ts";
import type { Known } from "../upgrade/decide.ts";
import { type Seen, slotVersion } from "../upgrade/situation.ts";
import { families, oneHot, type Sample, sample } from "./families.ts";

const CYCLES = ["install", "stable", "first_boot", "failsafe_check"] satisfies readonly Cycle[];
const KNOWN = ["incomplete", "installed", "proven", "failed", "nothing", "damaged"] satisfies readonly Known[];
const SLOTS = ["A", "B"] satisfies readonly Slot[];

/** The state of the upgrades, from the boot loader's block and the two slots' records. */
export interface UpgradeFacts {
  readonly seen: Seen;
  readonly refusedImages: number;
  /** Device of the running system's boot partition ("/dev/vda4"), where it was found. */
  readonly bootDevice: string | undefined;
}

/** @param version of the running image. @param bootStart of this boot's first run, in seconds since the epoch */
export function upgradeSamples(
  { seen, refusedImages, bootDevice }: UpgradeFacts,
  version: string,
  bootStart: number | undefined,
): readonly Sample[] {
  const { running, state, known } = seen.situation;
  const next = grubBoot(seen.block).slot;
  return [
    sample(families.bootStable, !isOnTrial(state.cycle)),
    bootAction(seen, version, bootDevice, bootStart),
    ...oneHot(families.bootCycle, "cycle", CYCLES, state.cycle),
    sample(families.grubenvSound, seen.situation.sound),
    ...SLOTS.flatMap((slot) => {
      const inSlot = slotVersion(seen.slots[slot]);
      return [
        ...oneHot(families.slotState, "state", KNOWN, known[slot], { slot }),
        ...(inSlot === undefined ? [] : [sample(families.slotVersion, 1, { slot, version: inSlot })]),
        sample(families.slotRunning, slot === running, { slot }),
        sample(families.slotNext, slot === next, { slot }),
      ];
    }),
    sample(families.refusedImages, refusedImages),
  ];
}

function isOnTrial(cycle: Cycle): boolean {
  return cycle === "first_boot" || cycle === "failsafe_check";
}

/**
 * The one sample of guestos_boot_action. Labels and values are those of IC-OS. Its scripts overwrite the same file with each step of an
 * upgrade, so that only the last step remains.
 */
function bootAction(seen: Seen, version: string, bootDevice: string | undefined, bootStart: number | undefined): Sample {
  const { running, state, known } = seen.situation;
  if (state.cycle === "first_boot") return sample(families.bootAction, 1, { committed: "true" });
  if (state.cycle === "failsafe_check") return sample(families.bootAction, 2, { next_boot: otherSlot(state.alternative), version });
  if (known[otherSlot(running)] === "installed") return sample(families.bootAction, 1, { written_var: "true" });
  if (wasConfirmedSince(seen, running, bootStart)) {
    return sample(families.bootAction, 1, { confirm_boot: bootDevice ?? "unknown", version });
  }
  return sample(families.bootAction, 0, { successful_boot: "true" });
}

/** A shipped system is proven without a confirmation: its record has no image. */
function wasConfirmedSince({ slots }: Seen, running: Slot, bootStart: number | undefined): boolean {
  const knowledge = slots[running];
  if (knowledge.kind !== "record" || knowledge.record.kind !== "proven" || knowledge.record.image === undefined) return false;
  return bootStart !== undefined && Date.parse(knowledge.record.at) / 1000 >= bootStart;
}
