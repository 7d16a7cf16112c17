import { graphProblems } from "../boot/graph.ts";
import { problemText } from "../boot/run-text.ts";
import type { Unit } from "../boot/unit.ts";
import type { ExitName } from "./exit-codes.ts";
import type { Setup } from "./setup.ts";
import { printJson, type Terminal } from "./terminal.ts";

/** What can be named after `--unit`, in boot order. */
export function list({ chain }: Setup, { json }: { readonly json: boolean }, terminal: Terminal): ExitName {
  if (json) printJson(terminal, { units: chain.map(unitFacts) });
  else
    for (const { name, stage, onFailure, title } of chain)
      terminal.print(`${name.padEnd(20)} ${stage.padEnd(5)} ${onFailure.padEnd(7)} ${title}`);
  return "ok";
}

/** Whether the chain can be run at all. The build asks this too: a broken chain must fail the build, not the boot. */
export function verify({ chain }: Setup, { json }: { readonly json: boolean }, terminal: Terminal): ExitName {
  const problems = graphProblems(chain);
  if (json) printJson(terminal, { sound: problems.length === 0, units: chain.length, problems });
  else if (problems.length === 0) terminal.print(`the chain is sound: ${chain.length} units`);
  else for (const problem of problems) for (const line of problemText(problem)) terminal.complain(line);
  return problems.length === 0 ? "ok" : "unsound";
}

export function unitFacts<M>({ name, title, stage, onFailure, timeout, requires, after, owns }: Unit<M>): object {
  return {
    name,
    title,
    stage,
    onFailure,
    timeoutSeconds: timeout / 1000,
    requires: requires.map((unit) => unit.name),
    after: after.map((unit) => unit.name),
    owns,
  };
}
