/**
 * Scripts of package.json, or lanes of tests: all of a step run at the same time. In a lane are projects of vitest.config.ts, which run one
 * after the other, each in a process of its own.
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
}

const fast = scripts("lint", "types", "dead-code", "format:check");
export const gates: Readonly<Record<string, Gate>> = {
  check: { steps: [fast, tests(["unit", "command-line"], ["system"])] },
  // Tests on real tools keep one core busy: whole boots begin beside them.
  all: { steps: [fast, tests(["unit", "command-line", "vm"], ["system"])], beside: ["build", "image", "image:boundary"] },
  vm: { steps: [tests(["vm"])] },
  power: { steps: [tests(["power"])] },
};
