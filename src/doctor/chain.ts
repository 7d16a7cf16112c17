import { planUnits, type UnitPreview } from "../boot/planner.ts";
import { RunReader } from "../boot/record/run-view.ts";
import { changedUnits, withRequirements } from "../boot/graph.ts";
import { CommandError } from "../system/command.ts";
import { ProblemError } from "../base/problem.ts";
import { machineFor } from "../run/machine-for.ts";
import type { GuestUnit, Machine } from "../units/machine.ts";
import { type Check, couldNotInspect, type Finding, notice, type CheckedNode, wrong } from "./check.ts";

/**
 * The present plan of each unit of the chain and of the monitor: most faults of a node are something that a plan finds missing or in the
 * way. Each unit is planned without its requirements, so that one faulty unit does not hide those behind it.
 */
export const chainCheck: Check = {
  name: "chain",
  title: "no unit of the boot chain or the monitor finds anything missing, or a conflict",
  seen: "guestos-boot plan",
  within: 300_000,
  async inspect(node, host) {
    const units = [...node.chain, ...node.maintenance];
    const { previews, notes, unanswered } = await ask(units, node, host.signal);
    const findings = judgeUnits(units, previews, unanswered, (name) => howToSee(node, name));
    return {
      fact: `${units.length} units, nothing to do`,
      findings: [
        ...findings,
        ...notes.flatMap(({ name, text }) => notice(howToSee(node, name).seen, { code: "unit-note", what: `${name}: ${text}` })),
      ],
    };
  },
};

/** Milliseconds for one unit's plan. A slower one is not waited for, because the whole check would time out and lose the other answers. */
const TIME_LIMIT = 30_000;

interface Asked {
  readonly previews: ReadonlyMap<string, UnitPreview>;
  readonly notes: readonly { readonly name: string; readonly text: string }[];
  /** Names of the units that could not complete their inspection; whatever reason is known is in the preview. */
  readonly unanswered: ReadonlySet<string>;
}

async function ask(units: readonly GuestUnit[], node: CheckedNode, signal: AbortSignal): Promise<Asked> {
  const unanswered = new Set(units.map(({ name }) => name));
  const alone = changedUnits(units, (unit) => ({
    ...unit,
    requires: [],
    // In order, not all at once, but each unit whatever the others answer.
    after: [...unit.requires, ...unit.after],
    retryFor: 0,
    timeout: Math.min(unit.timeout, TIME_LIMIT),
    plan: async (machine) => {
      try {
        const plan = await unit.plan(machine);
        unanswered.delete(unit.name);
        return plan;
      } catch (error) {
        // A unit's own problem names the fault; a failed tool or file only shows that the state is unknown.
        if (error instanceof ProblemError && !(error instanceof CommandError)) unanswered.delete(unit.name);
        throw error;
      }
    },
  }));
  const reader = new RunReader();
  const previews = await planUnits<Machine>(alone, {
    machine: machineFor(node),
    facts: node.facts,
    sink: (event) => void reader.read(event),
    signal,
  });
  return { previews, notes: reader.run.units.flatMap(({ name, notes }) => notes.map((text) => ({ name, text }))), unanswered };
}

interface HowTo {
  readonly seen: string;
  readonly repair: string;
}

/** A run knows only the units of the chain. */
function howToSee({ maintenance }: CheckedNode, name: string): HowTo {
  const isMaintenance = maintenance.some((unit) => unit.name === name);
  return isMaintenance
    ? { seen: `what the monitor would do for ${name}`, repair: `guestos-boot monitor --once --unit ${name}` }
    : { seen: `guestos-boot plan --unit ${name}`, repair: `guestos-boot --unit ${name}` };
}

/**
 * A finding for each faulty unit. The units that require one share a single finding: what they would do, or find in the way, may only be a
 * consequence.
 *
 * @param unanswered names of the units that could not complete their inspection
 */
function judgeUnits(
  units: readonly GuestUnit[],
  previews: ReadonlyMap<string, UnitPreview>,
  unanswered: ReadonlySet<string>,
  howTo: (name: string) => HowTo,
): readonly Finding[] {
  const ill = units.filter(({ name }) => previews.get(name)?.kind !== "nothing");
  const causesOf = (unit: GuestUnit): readonly GuestUnit[] =>
    withRequirements([unit], units).filter((required) => required !== unit && ill.includes(required));
  const followers = ill.filter((unit) => causesOf(unit).length > 0);
  const first = ill.filter((unit) => !followers.includes(unit));
  const causes = first.filter((unit) => followers.some((follower) => causesOf(follower).includes(unit)));
  return [
    ...first.flatMap(({ name }) => unitFinding(name, previews.get(name), unanswered.has(name), howTo(name))),
    ...(followers.length === 0 ? [] : notJudged(followers.map(nameOf), causes.map(nameOf))),
  ];
}

function nameOf({ name }: GuestUnit): string {
  return name;
}

function notJudged(followers: readonly string[], causes: readonly string[]): readonly Finding[] {
  return couldNotInspect(
    "guestos-boot plan",
    new ProblemError({
      code: "requirement-not-met",
      what: `${followers.join(", ")} ${followers.length === 1 ? "requires" : "require"} what is not as it should be`,
      expected: `nothing wrong with ${causes.join(", ")}`,
      todo: "repair that first, and check again",
    }),
  );
}

function unitFinding(name: string, preview: UnitPreview | undefined, isUnanswered: boolean, { seen, repair }: HowTo): readonly Finding[] {
  switch (preview?.kind) {
    case "to-do": {
      const missing = preview.actions.map(({ description }) => description);
      return wrong(seen, {
        code: "unit-not-done",
        what: `${name} is not in the state that the boot makes`,
        found: `to be done: ${missing.join("; ")}`,
        todo: repair,
      });
    }
    case "problem": {
      const problem = { ...preview.problem, todo: preview.problem.todo ?? `once that is repaired: ${repair}` };
      return isUnanswered
        ? couldNotInspect(seen, new ProblemError({ ...problem, what: `${name}: ${problem.what}` }))
        : wrong(seen, problem);
    }
    default:
      return couldNotInspect(seen, new ProblemError({ code: "unit-not-asked", what: `${name} was not checked` }));
  }
}
