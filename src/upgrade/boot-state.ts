import type { Slot } from "../config/layout/layout.ts";
import { parseGrubenv, type ReadGrubenv, renderGrubenv, savedByGrub } from "./grubenv.ts";

/** What the boot loader is told: the variables of grubenv that are ours, as values. */
export interface BootState {
  /** `boot_alternative`: the slot that GRUB boots, or that it goes away from when the cycle is `failsafe_check`. */
  readonly alternative: Slot;
  /** `boot_cycle`. */
  readonly cycle: Cycle;
  /**
   * `boot_trial`: the slot that is being tried. grub.cfg does not know it and keeps it. Written with the flip, in one sector, and
   * gone with the confirmation: so a system that finds itself stable and the other one on trial knows that the other one fell back.
   */
  readonly trial: Slot | undefined;
}

/** install: shipped, never booted. first_boot: to be tried. failsafe_check: tried, not yet confirmed. */
export type Cycle = "install" | "stable" | "first_boot" | "failsafe_check";

const CYCLES: readonly string[] = ["install", "stable", "first_boot", "failsafe_check"] satisfies readonly Cycle[];

const NAMES = { alternative: "boot_alternative", cycle: "boot_cycle", trial: "boot_trial" } as const;

export interface ReadBootState {
  readonly state: BootState;
  /** False where GRUB cannot read the block: it then boots A, and cannot write that anything was tried. */
  readonly readable: boolean;
  /** Why the block must be written anew, in words. Empty for one as guestos-boot writes it. */
  readonly faults: readonly string[];
  /** What else stands in it. */
  readonly others: readonly string[];
}

/** The state as GRUB takes it: what is missing reads as A and stable, an alternative that is not exactly "A" as B, an unknown cycle as stable. */
export function readBootState(bytes: Uint8Array | undefined): ReadBootState {
  const { readable, variables, others, faults } = parseGrubenv(bytes, Object.values(NAMES));
  const alternative = last(variables, NAMES.alternative);
  const cycle = last(variables, NAMES.cycle);
  const trial = last(variables, NAMES.trial);
  return {
    state: {
      alternative: alternative === undefined || alternative === "A" ? "A" : "B",
      cycle: isCycle(cycle) ? cycle : "stable",
      trial: trial === "A" || trial === "B" ? trial : undefined,
    },
    readable,
    others,
    faults: [
      ...faults,
      ...(readable && alternative === undefined ? [`it has no ${NAMES.alternative}`] : []),
      ...(readable && cycle === undefined ? [`it has no ${NAMES.cycle}`] : []),
      ...(alternative === undefined || alternative === "A" || alternative === "B" ? [] : [unknown(NAMES.alternative, alternative)]),
      ...(cycle === undefined || isCycle(cycle) ? [] : [unknown(NAMES.cycle, cycle)]),
      ...(trial === undefined || trial === "A" || trial === "B" ? [] : [unknown(NAMES.trial, trial)]),
    ],
  };
}

/** The block that says so, 1024 bytes, with `others` kept. @throws ProblemError when these leave no room */
export function blockOf({ alternative, cycle, trial }: BootState, others: readonly string[]): Uint8Array {
  const ours = [
    [NAMES.alternative, alternative],
    [NAMES.cycle, cycle],
    ...(trial === undefined ? [] : [[NAMES.trial, trial] as const]),
  ] as const;
  return renderGrubenv(ours, others);
}

export interface Booted {
  readonly slot: Slot;
  /** The block as GRUB leaves it. */
  readonly block: Uint8Array | undefined;
}

/** What GRUB does with a block: image/grub.cfg, line by line. A test runs that file and this function on the same blocks. */
export function grubBoot(block: Uint8Array | undefined): Booted {
  const { variables } = parseGrubenv(block, Object.values(NAMES));
  let alternative = last(variables, NAMES.alternative) ?? "A";
  let cycle = last(variables, NAMES.cycle) ?? "stable";
  let saved: readonly (readonly [string, string])[] = [];
  if (cycle === "failsafe_check") {
    alternative = alternative === "A" ? "B" : "A";
    cycle = "stable";
    saved = [
      [NAMES.alternative, alternative],
      [NAMES.cycle, cycle],
    ];
  } else if (cycle === "first_boot") {
    cycle = "failsafe_check";
    saved = [[NAMES.cycle, cycle]];
  } else if (cycle === "install") {
    cycle = "stable";
    saved = [[NAMES.cycle, cycle]];
  }
  return { slot: alternative === "A" ? "A" : "B", block: block === undefined ? undefined : savedByGrub(block, saved) };
}

export function otherSlot(slot: Slot): Slot {
  return slot === "A" ? "B" : "A";
}

function last(variables: ReadGrubenv["variables"], name: string): string | undefined {
  return variables.findLast((variable) => variable.name === name)?.value;
}

function isCycle(text: string | undefined): text is Cycle {
  return text !== undefined && CYCLES.includes(text);
}

/** Its value is garbage, or of a newer system: shown as JSON, and not at length. */
function unknown(name: string, value: string): string {
  return `${name} is ${JSON.stringify(value.slice(0, 40))}`;
}
