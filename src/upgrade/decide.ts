import type { Slot } from "../config/layout/layout.ts";
import { type BootState, otherSlot } from "./boot-state.ts";
import type { SlotRecord } from "./slot-state.ts";

/**
 * The state machine of upgrades, as pure functions: what may be done with the two slots, and in which order it is written. The input is a
 * `Situation`; the output is a list of writes that apply-writes.ts carries out in order. The test test/unit/upgrade/model.test.ts cuts the
 * power between any two writes in every reachable state, and always finds a slot that boots. docs/upgrade.md has the same as a table, and a
 * test compares the two.
 */
export interface Situation {
  /** The slot that runs, by the kernel's command line. */
  readonly running: Slot;
  readonly state: BootState;
  /** True where the block is as guestos-boot writes it, so that GRUB can read it and save to it. Only then does its content count. */
  readonly sound: boolean;
  readonly known: Readonly<Record<Slot, Known>>;
}

/** The knowledge about a slot. `damaged`: its record exists but cannot be read. */
export type Known = SlotRecord["kind"] | "nothing" | "damaged";

/** A durable write. After a power cut, each write has either happened or not. */
export type Write =
  | { readonly kind: "block"; readonly to: BootState }
  /** Records that the slot's image, by the hash in the slot's record, must not be installed again. Without a hash, nothing is written. */
  | { readonly kind: "refuse"; readonly slot: Slot; readonly why: Why }
  | { readonly kind: "record"; readonly slot: Slot; readonly to: "failed"; readonly why: Why }
  | { readonly kind: "record"; readonly slot: Slot; readonly to: "proven" };

/** Why a slot is marked as failed. */
export type Why = "not confirmed" | "rolled back";

export type Verb = "install" | "commit" | "confirm" | "rollback";

/** Why a verb cannot be done now. src/upgrade/refusals.ts has the texts. */
export type Refusal =
  | { readonly kind: "not-stable"; readonly trial: Slot; readonly waiting: "reboot" | "confirmation" }
  | { readonly kind: "not-as-booted"; readonly running: Slot; readonly next: Slot }
  | { readonly kind: "not-installed"; readonly slot: Slot; readonly known: Exclude<Known, "installed"> }
  | { readonly kind: "not-on-trial"; readonly trial: Slot }
  | { readonly kind: "not-intact"; readonly slot: Slot; readonly known: Known };

export type Decision =
  | { readonly kind: "do"; readonly writes: readonly Write[]; readonly reboot: boolean }
  /** The state is already as the verb would leave it. */
  | { readonly kind: "done" }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/**
 * The writes that come before anything else, at each boot and before each verb. A block that GRUB could not read or save to is rewritten
 * from the running slot (rule R1). A slot that fell back is marked (R4). The running slot is marked as proven once it is stable.
 *
 * @returns the writes, in order; none in a settled situation
 */
export function settle(situation: Situation): readonly Write[] {
  const { running, sound, known, state } = situation;
  const other = otherSlot(running);
  const { alternative, cycle, trial } = state;
  // GRUB may have booted this slot because it could read nothing, or may have been unable to record the trial. So an unproven system must
  // go on trial, if there is a proven system to go back to.
  if (!sound) {
    const doubtful = known[running] !== "proven" && known[other] === "proven";
    return [block(doubtful ? onTrial(running) : stable(running, trial === other ? trial : undefined))];
  }
  if (alternative === running) {
    // first_boot: GRUB could not record the trial.
    if (cycle === "first_boot" || cycle === "failsafe_check") {
      return cycle === "failsafe_check" && trial === running ? [] : [block(onTrial(running))];
    }
    return [
      ...(trial === other ? failed(other, known[other], "not confirmed") : []),
      ...(known[running] === "proven" ? [] : [{ kind: "record", slot: running, to: "proven" } as const]),
      ...(cycle === "stable" && trial === undefined ? [] : [block(stable(running))]),
    ];
  }
  // GRUB went back to this slot, but could not record it.
  if (cycle === "failsafe_check") return [...failed(other, known[other], "not confirmed"), block(stable(running))];
  return [];
}

/** All writes until the situation is settled: those of `settle`, and again those of the situation that they lead to. */
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

/** @param situation a settled one: `settle` returns no writes for it */
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
      // The writes of the install itself follow while it runs: src/upgrade/install.ts.
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
 * The phase of an upgrade, derived from a settled situation.
 *
 *   stable         GRUB boots the running slot
 *   committed      the other slot is to be tried at the next boot
 *   trial          the running slot is being tried
 *   rolled-back    the running slot was tried and given up: only the restart is left to do
 *   not-as-booted  GRUB was told to boot the other slot, and did not: it cannot read the block, or another program wrote it
 */
export type Phase = "stable" | "committed" | "trial" | "rolled-back" | "not-as-booted";

export function phaseOf({ running, state: { alternative, cycle, trial }, known }: Situation): Phase {
  if (alternative === running) return cycle === "failsafe_check" || cycle === "first_boot" ? "trial" : "stable";
  if (cycle === "first_boot") return "committed";
  return cycle === "stable" && trial === running && known[running] === "failed" ? "rolled-back" : "not-as-booted";
}

/**
 * The refusal goes first: once the record says failed, neither write is asked for again. An incomplete, failed or damaged slot is already
 * known as unusable, and its reason stays.
 */
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

/** The state from which a boot loader tries a slot, once. */
export function toBeTried(slot: Slot): BootState {
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
