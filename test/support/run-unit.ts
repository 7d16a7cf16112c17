import { isConflict } from "../../src/boot/unit.ts";
import type { GuestUnit, Machine } from "../../src/units/machine.ts";
import { ProblemError } from "../../src/base/problem.ts";

/**
 * Does what the runner does: plans, acts, and plans again, which must find nothing missing.
 *
 * @returns the descriptions of what was done, in order; empty when nothing had to be
 * @throws ProblemError for a conflict, and an Error when something is still missing at the end
 */
export async function runUnit(unit: GuestUnit, machine: Machine): Promise<readonly string[]> {
  const plan = await unit.plan(machine);
  if (isConflict(plan)) throw new ProblemError(plan.conflict);
  for (const action of plan) await action.run();
  if (plan.length > 0) {
    const rest = await unit.plan(machine);
    if (isConflict(rest)) throw new ProblemError(rest.conflict);
    if (rest.length > 0) throw new Error(`${unit.name} did not converge: ${rest.map(({ description }) => description).join("; ")}`);
  }
  return plan.map(({ description }) => description);
}
