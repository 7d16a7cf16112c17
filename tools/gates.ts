import { DEFAULT_PROFILE, type ProfileName, profileNames } from "../src/profiles/profiles.ts";

/**
 * Scripts of package.json, or lanes of tests: all of a step run at the same time. In a lane are projects of vitest.config.ts, which run one
 * after the other, each in a process of its own; `command-line 1/2` is the first half of the files of one, and runs beside the other half in
 * namespaces of its own.
 */
export type Step =
  | { readonly kind: "scripts"; readonly names: readonly string[] }
  | { readonly kind: "tests"; readonly lanes: readonly Lane[] };
export type Lane = readonly string[];

const scripts = (...names: readonly string[]): Step => ({ kind: "scripts", names });
const tests = (...lanes: readonly Lane[]): Step => ({ kind: "tests", lanes });

/** Scripts that are run one after the other, and the project that waits for them. */
export interface Build {
  readonly names: readonly string[];
  readonly awaitedBy: string;
}

/** What is done one after the other; and what is built beside it, one after the other, which whole boots wait for. */
interface Gate {
  readonly steps: readonly Step[];
  readonly beside?: readonly Build[];
  /** Projects that FILE= and TEST= choose from; those of its steps when absent. */
  readonly chosen?: readonly string[];
}

/** The script of package.json that builds the image of a profile. */
export function imageScript(profile: ProfileName): string {
  return profile === DEFAULT_PROFILE ? "image" : `image:${profile}`;
}

/** The stick has the host's image in it. In `all` its boot waits for both, and no other boot does. */
const OF_THE_STICK: readonly ProfileName[] = ["hostos", "setupos"];

const fast = scripts("lint", "types", "dead-code", "format:check");
export const gates: Readonly<Record<string, Gate>> = {
  check: {
    steps: [fast, tests(["unit", "command-line 1/2"], ["command-line 2/2"])],
    chosen: ["unit", "command-line", "system"],
  },
  "check-system": { steps: [tests(["system"])] },
  // Tests on real tools keep one core busy: whole boots begin beside them.
  all: {
    steps: [fast, tests(["unit", "command-line 1/2", "vm"], ["command-line 2/2", "system", "vm-setupos"])],
    beside: [
      { names: ["build", ...profileNames.filter((profile) => !OF_THE_STICK.includes(profile)).map(imageScript)], awaitedBy: "vm" },
      { names: OF_THE_STICK.map(imageScript), awaitedBy: "vm-setupos" },
    ],
  },
  vm: { steps: [tests(["vm", "vm-setupos"])] },
  power: { steps: [tests(["power"])] },
};
