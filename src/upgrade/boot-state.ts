import type { Slot } from "../config/layout/layout.ts";
import { parseGrubenv, type ReadGrubenv, renderGrubenv, savedByGrub } from "./grubenv.ts";
import { readAsHost } from "./host-reading.ts";

/** The boot loader's instructions: the values of our variables in grubenv. */
export interface BootState {
  /** `boot_alternative`: the slot that GRUB boots, or that it leaves when the cycle is `failsafe_check`. */
  readonly alternative: Slot;
  /** `boot_cycle`. */
  readonly cycle: Cycle;
  /**
   * `boot_trial`: the slot on trial. grub.cfg does not know this variable and keeps it. It is written together with the flip, in one
   * sector, and removed by the confirmation. So a stable system that finds the other slot on trial knows that the other one fell back.
   */
  readonly trial: Slot | undefined;
}

/** install: shipped, never booted. first_boot: to be tried. failsafe_check: tried, not yet confirmed. */
export type Cycle = "install" | "stable" | "first_boot" | "failsafe_check";

const CYCLES: readonly string[] = ["install", "stable", "first_boot", "failsafe_check"] satisfies readonly Cycle[];

const NAMES = { alternative: "boot_alternative", cycle: "boot_cycle", trial: "boot_trial" } as const;

export interface ReadBootState {
  readonly state: BootState;
  /** False where GRUB cannot read the block: it then boots A, and cannot record that a slot was tried. */
  readonly readable: boolean;
  /** Why the block must be rewritten, in words. Empty for a block as guestos-boot writes it. */
  readonly faults: readonly string[];
  /** The other lines of the block that may stay in it: those that mean the same to the host and to GRUB. */
  readonly others: readonly string[];
}

/**
 * The state as GRUB reads it: a missing alternative reads as A, a missing cycle as stable. An alternative that is not exactly "A" reads as
 * B, an unknown cycle as stable.
 */
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
    others: others.filter(isHarmless),
    faults: [
      ...faults,
      ...(readable && bytes !== undefined ? hostFaults(bytes, { alternative, cycle }) : []),
      ...(readable && alternative === undefined ? [`it has no ${NAMES.alternative}`] : []),
      ...(readable && cycle === undefined ? [`it has no ${NAMES.cycle}`] : []),
      ...(alternative === undefined || alternative === "A" || alternative === "B" ? [] : [unknown(NAMES.alternative, alternative)]),
      ...(cycle === undefined || isCycle(cycle) ? [] : [unknown(NAMES.cycle, cycle)]),
      ...(trial === undefined || trial === "A" || trial === "B" ? [] : [unknown(NAMES.trial, trial)]),
    ],
  };
}

/** Where a host that boots the kernel itself reads another state than GRUB does, or none. */
function hostFaults(bytes: Uint8Array, grub: Readonly<Record<"alternative" | "cycle", string | undefined>>): readonly string[] {
  const { readable, values } = readAsHost(bytes);
  if (!readable) return ["the host cannot read it: it is not UTF-8"];
  return (["alternative", "cycle"] as const).flatMap((key) => {
    const value = values.get(NAMES[key]);
    return value === grub[key] ? [] : [`the host reads ${value === undefined ? `no ${NAMES[key]}` : unknown(NAMES[key], value)}`];
  });
}

/** Whether the host takes nothing of a line for the boot state, such as of a comment, or of a value with a newline in it. */
function isHarmless(line: string): boolean {
  const { readable, values } = readAsHost(Buffer.from(line, "latin1"));
  return readable && Object.values(NAMES).every((name) => !values.has(name));
}

/** The block that holds this state, 1024 bytes, with `others` kept. @throws ProblemError when these leave no room */
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

/** The value is garbage, or from a newer system: shown as JSON, and shortened. */
function unknown(name: string, value: string): string {
  return `${name} is ${JSON.stringify(value.slice(0, 40))}`;
}
