import { graphProblems } from "../boot/graph.ts";
import { problemText } from "../boot/run-text.ts";
import type { Unit } from "../boot/unit.ts";
import type { Problem } from "../system/problem.ts";
import type { ExitName } from "./exit-codes.ts";
import type { Setup } from "./setup.ts";
import { printJson, type Terminal } from "./terminal.ts";

/** What can be named after `--unit`, in boot order. */
export function list({ chain }: Setup, { json }: { readonly json: boolean }, terminal: Terminal): ExitName {
  const width = Math.max(20, ...chain.map(({ name }) => name.length));
  if (json) printJson(terminal, { units: chain.map(unitFacts) });
  else
    for (const { name, stage, onFailure, title } of chain)
      terminal.print(`${name.padEnd(width)} ${stage.padEnd(5)} ${onFailure.padEnd(7)} ${title}`);
  return "ok";
}

interface NamedChain {
  /** Of the profile. */
  readonly name: string;
  readonly chain: Setup["chain"];
}

/** Whether each chain can be run at all. The build asks this too: a broken chain must fail the build, not the boot. */
export function verify(chains: readonly NamedChain[], { json }: { readonly json: boolean }, terminal: Terminal): ExitName {
  const profiles = chains.map(({ name, chain }) => ({ name, units: chain.length, problems: graphProblems(chain) }));
  const problems = profiles.flatMap((profile) => profile.problems);
  const sound = problems.length === 0;
  if (json) printJson(terminal, { sound, units: Math.max(...profiles.map(({ units }) => units)), problems, profiles });
  else for (const profile of profiles) printVerdict(profile, terminal);
  return sound ? "ok" : "unsound";
}

function printVerdict(
  { name, units, problems }: { readonly name: string; readonly units: number; readonly problems: readonly Problem[] },
  terminal: Terminal,
): void {
  if (problems.length === 0) terminal.print(`${name}: the chain is sound: ${units} units`);
  for (const problem of problems) for (const line of problemText({ ...problem, what: `${name}: ${problem.what}` })) terminal.complain(line);
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
