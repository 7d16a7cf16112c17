import { ProblemError } from "../../src/base/problem.ts";
import { isConflict, type Plan } from "../../src/boot/unit.ts";
import { Recorder } from "../../src/run/recorder.ts";
import type { GuestUnit, Machine } from "../../src/units/machine.ts";
import { ran, shown } from "./canaries.ts";

/**
 * Does what the runner does: plans, acts, and plans again, which must find nothing missing. What it says, and what is recorded of its plans,
 * is searched for secrets.
 *
 * @returns the descriptions of what was done, in order; empty when nothing had to be
 * @throws ProblemError for a conflict, and an Error when something is still missing at the end
 */
export async function runUnit(unit: GuestUnit, machine: Machine): Promise<readonly string[]> {
  const recorder = new Recorder((told) => shown(`the observation of ${unit.name}`, () => JSON.stringify(told)), machine.layout);
  const note = (text: string): void => {
    shown(`a note of ${unit.name}`, text);
    machine.note(text);
  };
  const observed: Machine = { ...machine, note, host: recorder.host(machine.host, unit.name) };
  const planned = async (): Promise<Exclude<Plan, { readonly conflict: unknown }>> => {
    const plan = await recorder.unit(unit).plan(observed);
    if (isConflict(plan)) throw new ProblemError(plan.conflict);
    shown(`the plan of ${unit.name}`, plan.map(({ description }) => description).join("\n"));
    return plan;
  };
  try {
    const plan = await planned();
    for (const action of plan) await action.run();
    if (plan.length > 0) {
      const rest = await planned();
      if (rest.length > 0) throw new Error(`${unit.name} did not converge: ${rest.map(({ description }) => description).join("; ")}`);
    }
    return plan.map(({ description }) => description);
  } finally {
    ran();
  }
}
