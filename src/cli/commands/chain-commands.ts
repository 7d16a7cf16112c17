import { graphProblems } from "../../boot/graph.ts";
import { problemText } from "../../boot/show/run-text.ts";
import type { Problem } from "../../base/problem.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { requireConfiguration } from "../../run/guards.ts";
import type { Setup } from "../../run/setup.ts";
import { stagesOf } from "../../run/stages.ts";
import { unitFacts } from "../../run/unit-facts.ts";
import { unusableExecutables } from "../../run/unusable-executables.ts";
import { printJson, type Terminal } from "../../run/terminal.ts";

/** Lists the names that `--unit` accepts, in chain order. @throws ExitError for a broken configuration */
export function list(setup: Setup, { json }: { readonly json: boolean }, terminal: Terminal): ExitName {
  requireConfiguration(setup);
  const { chain } = setup;
  const stageOf = stagesOf(chain);
  const width = Math.max(20, ...chain.map(({ name }) => name.length));
  if (json) printJson(terminal, { units: unitFacts(chain) });
  else
    for (const unit of chain)
      terminal.print(`${unit.name.padEnd(width)} ${stageOf(unit).padEnd(5)} ${unit.onFailure.padEnd(7)} ${unit.title}`);
  return "ok";
}

export interface NamedChain {
  /** Of the profile. */
  readonly name: string;
  readonly chain: Setup["chain"];
}

/**
 * Checks whether each chain can run at all; this machine's own chain with the configuration of /etc/guestos-boot. The build runs this too:
 * a broken chain must fail the build, not the boot.
 */
export async function verify(
  { profile, chain, configuration }: Setup,
  others: readonly NamedChain[],
  { json }: { readonly json: boolean },
  terminal: Terminal,
): Promise<ExitName> {
  const profiles = [...(profile === undefined ? [] : [{ name: profile, chain }]), ...others].map((one) => ({
    name: one.name,
    units: one.chain.length,
    problems: graphProblems(one.chain),
  }));
  const unsound = profiles.flatMap(({ problems }) => problems);
  const unusable = [...configuration.problems, ...(await unusableExecutables(configuration.executables))];
  const problems = [...unusable, ...unsound];
  if (json) printJson(terminal, { sound: problems.length === 0, units: chain.length, problems, profiles });
  else {
    for (const problem of unusable) for (const line of problemText(problem)) terminal.complain(line);
    for (const one of profiles) printVerdict(one, terminal);
    if (problems.length === 0) for (const file of configuration.files) terminal.print(`with ${file}`);
  }
  if (unsound.length > 0) return "unsound";
  return unusable.length > 0 ? "badConfiguration" : "ok";
}

function printVerdict(
  { name, units, problems }: { readonly name: string; readonly units: number; readonly problems: readonly Problem[] },
  terminal: Terminal,
): void {
  if (problems.length === 0) terminal.print(`${name}: the chain is sound: ${units} units`);
  for (const problem of problems) for (const line of problemText({ ...problem, what: `${name}: ${problem.what}` })) terminal.complain(line);
}
