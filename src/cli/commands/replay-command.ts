import { oneLine } from "../../base/problem.ts";
import type { Decision } from "../../run/decision.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { readObservation } from "../../run/read-observation.ts";
import { replay, type Replayed, unknownUnits } from "../../run/replay.ts";
import type { Setup } from "../../run/setup.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";
import { systemHost } from "../../system/host.ts";

/**
 * Makes the decisions of a recorded run again, and says where this version decides otherwise. No machine is inspected or changed.
 *
 * @param setupOf the chain of a profile
 * @throws ProblemError for a file that is no record
 */
export async function replayRecord(
  file: string,
  setupOf: (profile: string | undefined) => Promise<Setup>,
  { json }: { readonly json: boolean },
  terminal: Terminal,
): Promise<ExitName> {
  const { run, told } = await readObservation(systemHost(), file);
  const setup = await setupOf(run?.profile);
  const plans = await replay(setup.chain, told, setup);
  const unknown = unknownUnits(setup.chain, told);
  if (json) printJson(terminal, { ...(run === undefined ? {} : { run }), plans, unknownUnits: unknown });
  else {
    if (run !== undefined) terminal.print(`recorded by version ${run.version}, profile ${run.profile}`);
    for (const path of run?.configuration ?? []) terminal.print(`note: that machine had ${path}; here it is not taken into account`);
    for (const name of unknown) terminal.print(`note: this version has no unit ${name}`);
    for (const plan of plans) for (const line of linesOf(plan)) terminal.print(line);
    const count = (kind: Replayed["kind"]): number => plans.filter((plan) => plan.kind === kind).length;
    terminal.print(
      `replay: ${plans.length} plans: ${count("same")} the same, ${count("differs")} differ, ${count("not decided")} not decided`,
    );
  }
  return plans.some(({ kind }) => kind === "differs") ? "differs" : "ok";
}

function linesOf(plan: Replayed): readonly string[] {
  const head = `${plan.unit}, plan ${plan.plan}: `;
  switch (plan.kind) {
    case "same":
      return [];
    case "differs":
      return [`${head}differs`, `  recorded ${decisionText(plan.recorded)}`, `  now      ${decisionText(plan.now)}`];
    case "not decided":
      return [`${head}not decided, for want of ${plan.unknown.join("; ")}`];
  }
}

function decisionText(decision: Decision): string {
  switch (decision.kind) {
    case "absent":
      return `absent: ${decision.why}`;
    case "actions":
      return decision.actions.length === 0 ? "nothing to do" : decision.actions.join("; ");
    case "conflict":
      return `conflict: ${oneLine(decision.problem)}`;
    case "error":
      return `error: ${oneLine(decision.problem)}`;
  }
}
