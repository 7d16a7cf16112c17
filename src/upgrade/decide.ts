import type { Slot } from "../config/layout/layout.ts";
import { type BootState, otherSlot } from "./boot-state.ts";
import type { SlotRecord } from "./slot-state.ts";

/**
 * What may be done with the two slots, and in which order it is written down: the state machine of upgrades, as pure
 * functions. What is looked at is a `Situation`, what comes out are writes that another file carries out, one after the
 * other: test/unit/upgrade/model.test.ts cuts the power between any two of them in every state that can be reached, and
 * finds a slot that boots. docs/upgrade.md has the same as a table, and a test holds them together.
 */
export interface Situation {
  /** The slot that runs, by the kernel's command line. */
  readonly running: Slot;
  readonly state: BootState;
  /** True where the block is as guestos-boot writes it: GRUB reads it and saves to it. What it says counts only then. */
  readonly sound: boolean;
  readonly known: Readonly<Record<Slot, Known>>;
}

/** What is known of a slot. `damaged`: there is a record that cannot be read. */
export type Known = SlotRecord["kind"] | "nothing" | "damaged";

/** A durable write. When the power is cut each has happened, or has not. */
export type Write =
  | { readonly kind: "block"; readonly to: BootState }
  /** The image of that slot, by the hash in its record, is not to be installed again. No hash, nothing written. */
  | { readonly kind: "refuse"; readonly slot: Slot; readonly why: Why }
  | { readonly kind: "record"; readonly slot: Slot; readonly to: "failed"; readonly why: Why }
  | { readonly kind: "record"; readonly slot: Slot; readonly to: "proven" };

/** Why a slot is marked as failed. */
export type Why = "not confirmed" | "rolled back";

export type Verb = "install" | "commit" | "confirm" | "rollback";

/** Why a verb cannot be done now. src/upgrade/refusals.ts words them. */
export type Refusal =
  | { readonly kind: "not-stable"; readonly trial: Slot; readonly waiting: "reboot" | "confirmation" }
  | { readonly kind: "not-as-booted"; readonly running: Slot; readonly next: Slot }
  | { readonly kind: "not-installed"; readonly slot: Slot; readonly known: Exclude<Known, "installed"> }
  | { readonly kind: "not-on-trial"; readonly trial: Slot }
  | { readonly kind: "not-intact"; readonly slot: Slot; readonly known: Known };

export type Decision =
  | { readonly kind: "do"; readonly writes: readonly Write[]; readonly reboot: boolean }
  /** It is as the verb would leave it. */
  | { readonly kind: "done" }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/**
 * What has to be written before anything else, at each boot and before each verb: a block that GRUB could not read or save to is
 * written anew from what runs (rule R1), a slot that fell back is marked (R4), the running one is called proven once it is stable.
 *
 * @returns the writes, in order; none in a settled situation
 */
export function settle(situation: Situation): readonly Write[] {
  const { running, sound, known, state } = situation;
  const other = otherSlot(running);
  const { alternative, cycle, trial } = state;
  // GRUB may have started what it did for want of anything to read, or not have been able to write that it is being tried. So
  // what never proved itself has to, where there is a proven system to go back to.
  if (!sound) {
    const doubtful = known[running] !== "proven" && known[other] === "proven";
    return [block(doubtful ? onTrial(running) : stable(running, trial === other ? trial : undefined))];
  }
  if (alternative === running) {
    // first_boot: GRUB could not write that it is being tried.
    if (cycle === "first_boot" || cycle === "failsafe_check") {
      return cycle === "failsafe_check" && trial === running ? [] : [block(onTrial(running))];
    }
    return [
      ...(trial === other ? failed(other, known[other], "not confirmed") : []),
      ...(known[running] === "proven" ? [] : [{ kind: "record", slot: running, to: "proven" } as const]),
      ...(cycle === "stable" && trial === undefined ? [] : [block(stable(running))]),
    ];
  }
  // GRUB went back to this slot, and could not write that it did.
  if (cycle === "failsafe_check") return [...failed(other, known[other], "not confirmed"), block(stable(running))];
  return [];
}

/** All writes until nothing of that kind is left: what `settle` says, and says again of what it leaves. */
export function settleAll(situation: Situation): readonly Write[] {
  const writes = settle(situation);
  return writes.length === 0 ? [] : [...writes, ...settleAll(writes.reduce(written, situation))];
}

/** The situation after a write. */
export function written(before: Situation, write: Write): Situation {
  switch (write.kind) {
    case "block":
      return { ...before, state: write.to, sound: true };
    case "refuse":
      return before;
    case "record":
      return { ...before, known: { ...before.known, [write.slot]: write.to } };
  }
}

/** @param situation a settled one: `settle` has nothing to say about it */
export function decide(verb: Verb, situation: Situation): Decision {
  const phase = phaseOf(situation);
  const { running, known } = situation;
  const other = otherSlot(running);
  if (phase === "rolled-back" && verb === "rollback") return { kind: "do", writes: [], reboot: true };
  if (phase === "not-as-booted" || phase === "rolled-back") return refused({ kind: "not-as-booted", running, next: other });
  const notStable = refused({
    kind: "not-stable",
    ...(phase === "committed" ? { trial: other, waiting: "reboot" } : { trial: running, waiting: "confirmation" }),
  });
  switch (verb) {
    case "install":
      // Its own writes follow as it goes on: src/upgrade/receive.
      return phase === "stable" ? { kind: "do", writes: [], reboot: false } : notStable;
    case "commit":
      if (phase === "committed") return { kind: "do", writes: [], reboot: true };
      if (phase !== "stable") return notStable;
      if (known[other] !== "installed") return refused({ kind: "not-installed", slot: other, known: known[other] });
      return { kind: "do", writes: [block(toBeTried(other))], reboot: true };
    case "confirm":
      if (phase === "stable") return { kind: "done" };
      if (phase === "committed") return refused({ kind: "not-on-trial", trial: other });
      return { kind: "do", writes: [block(stable(running)), { kind: "record", slot: running, to: "proven" }], reboot: false };
    case "rollback":
      if (phase === "committed") return { kind: "do", writes: [block(stable(running))], reboot: false };
      // "nothing": an older system installed this one, and left no records. GRUB would go back there too.
      if (phase === "trial" && (known[other] === "proven" || known[other] === "nothing")) {
        return { kind: "do", writes: [...failed(running, known[running], "rolled back"), block(stable(other, running))], reboot: true };
      }
      if (phase === "stable" && known[other] === "proven") return { kind: "do", writes: [block(toBeTried(other))], reboot: true };
      return refused({ kind: "not-intact", slot: other, known: known[other] });
  }
}

/**
 * Where an upgrade stands, as far as a settled situation goes.
 *
 *   stable         the running slot is what GRUB boots
 *   committed      the other one is to be tried at the next boot
 *   trial          the running one is being tried
 *   rolled-back    the running one was, and was given up: the restart is all that is left to do
 *   not-as-booted  GRUB is told to boot the other one, and did not: it cannot read the block, or somebody else wrote it
 */
export type Phase = "stable" | "committed" | "trial" | "rolled-back" | "not-as-booted";

export function phaseOf({ running, state: { alternative, cycle, trial }, known }: Situation): Phase {
  if (alternative === running) return cycle === "failsafe_check" || cycle === "first_boot" ? "trial" : "stable";
  if (cycle === "first_boot") return "committed";
  return cycle === "stable" && trial === running && known[running] === "failed" ? "rolled-back" : "not-as-booted";
}

/** The hash goes first: it stands in the record, which then says only that it failed. What is known to be unusable already says why. */
function failed(slot: Slot, known: Known, why: Why): readonly Write[] {
  if (known !== "installed" && known !== "proven" && known !== "nothing") return [];
  return [
    { kind: "refuse", slot, why },
    { kind: "record", slot, to: "failed", why },
  ];
}

function stable(slot: Slot, trial?: Slot): BootState {
  return { alternative: slot, cycle: "stable", trial };
}

function toBeTried(slot: Slot): BootState {
  return { alternative: slot, cycle: "first_boot", trial: slot };
}

function onTrial(slot: Slot): BootState {
  return { alternative: slot, cycle: "failsafe_check", trial: slot };
}

function block(to: BootState): Write {
  return { kind: "block", to };
}

function refused(refusal: Refusal): Decision {
  return { kind: "refused", refusal };
}
