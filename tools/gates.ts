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

/** What is done one after the other; and scripts that are run beside it, whose images whole boots wait for. */
interface Gate {
  readonly steps: readonly Step[];
  readonly beside?: readonly string[];
  /** Projects that FILE= and TEST= choose from; those of its steps when absent. */
  readonly chosen?: readonly string[];
}

/** The script of package.json that builds the image of a profile. */
export function imageScript(profile: ProfileName): string {
  return profile === DEFAULT_PROFILE ? "image" : `image:${profile}`;
}

/** No test of `all` boots them: `make test-power` builds their images. */
const BOOTED_BY_POWER_ALONE: readonly ProfileName[] = ["hostos", "setupos"];

const fast = scripts("lint", "types", "dead-code", "format:check");
export const gates: Readonly<Record<string, Gate>> = {
  check: {
    steps: [fast, tests(["unit", "command-line 1/2"], ["command-line 2/2"])],
    chosen: ["unit", "command-line", "system"],
  },
  "check-system": { steps: [tests(["system"])] },
  // Tests on real tools keep one core busy: whole boots begin beside them.
  all: {
    steps: [fast, tests(["unit", "command-line 1/2", "vm"], ["command-line 2/2", "system"])],
    beside: ["build", ...profileNames.filter((profile) => !BOOTED_BY_POWER_ALONE.includes(profile)).map(imageScript)],
  },
  vm: { steps: [tests(["vm"])] },
  power: { steps: [tests(["power"])] },
};
