import { type LongestPath, longestPath } from "../../boot/bounds.ts";
import { graphProblems } from "../../boot/graph.ts";
import { raceProblems } from "../../boot/races.ts";
import { readObservation } from "../../run/read-observation.ts";
import { systemHost } from "../../system/host.ts";
import { problemText } from "../../boot/show/run-text.ts";
import type { Problem } from "../../base/problem.ts";
import type { ExitName } from "../../run/exit-codes.ts";
import { requireConfiguration } from "../../run/guards.ts";
import type { Machine } from "../../units/machine.ts";
import type { Setup } from "../../run/setup.ts";
import { bootOrder, stagesOf } from "../../run/stages.ts";
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

export interface VerifyRequest {
  readonly json: boolean;
  readonly bounds?: boolean;
  /** The file of an observation of this machine's own chain. */
  readonly record?: string | undefined;
}

/**
 * Checks whether each chain can run at all; this machine's own chain with the configuration of /etc/guestos-boot. The build runs this too:
 * a broken chain must fail the build, not the boot.
 */
export async function verify(
  { profile, chain, configuration }: Setup,
  others: readonly NamedChain[],
  { json, bounds = false, record }: VerifyRequest,
  terminal: Terminal,
): Promise<ExitName> {
  const races = record === undefined ? [] : raceProblems(chain, (await readObservation(systemHost(), record)).accesses);
  const profiles = [...(profile === undefined ? [] : [{ name: profile, chain }]), ...others].map((one, index) => ({
    name: one.name,
    units: one.chain.length,
    problems: [...graphProblems(one.chain), ...(index === 0 ? races : [])],
    bounds: boundsOf(one.chain),
  }));
  const unsound = profiles.flatMap(({ problems }) => problems);
  const unusable = [...configuration.problems, ...(await unusableExecutables(configuration.executables))];
  const problems = [...unusable, ...unsound];
  if (json) {
    const documents = profiles.map((one) => ({
      ...one,
      bounds: { ready: boundDocument(one.bounds.ready), end: boundDocument(one.bounds.end) },
    }));
    printJson(terminal, { sound: problems.length === 0, units: chain.length, problems, profiles: documents });
  } else {
    for (const problem of unusable) for (const line of problemText(problem)) terminal.complain(line);
    for (const one of profiles) printVerdict(one, terminal);
    if (bounds) for (const one of profiles) printBounds(one.name, one.bounds, terminal);
    if (problems.length === 0) for (const file of configuration.files) terminal.print(`with ${file}`);
  }
  if (unsound.length > 0) return "unsound";
  return unusable.length > 0 ? "badConfiguration" : "ok";
}

/** The longest that a boot can take until systemd may go on (READY=1), and to its end. */
interface Bounds {
  readonly ready: LongestPath<Machine>;
  readonly end: LongestPath<Machine>;
}

function boundsOf(chain: Setup["chain"]): Bounds {
  const stageOf = stagesOf(chain);
  return { ready: longestPath(chain.filter((unit) => stageOf(unit) === "early")), end: longestPath(bootOrder(chain)) };
}

function boundDocument({ seconds, units }: LongestPath<Machine>): object {
  return { seconds, path: units.map(({ name, timeout }) => ({ unit: name, seconds: timeout / 1000 })) };
}

function printBounds(name: string, { ready, end }: Bounds, terminal: Terminal): void {
  for (const [what, { seconds, units }] of [
    ["systemd may go on", ready],
    ["all has ended", end],
  ] as const) {
    terminal.print(`${name}: ${what} after at most ${minutes(seconds)}, on this path:`);
    for (const unit of units) terminal.print(`  ${unit.name.padEnd(28)} ${minutes(unit.timeout / 1000)}`);
  }
}

/** "153 min 12 s" */
function minutes(seconds: number): string {
  return `${Math.floor(seconds / 60)} min${seconds % 60 === 0 ? "" : ` ${Math.round(seconds % 60)} s`}`;
}

function printVerdict(
  { name, units, problems }: { readonly name: string; readonly units: number; readonly problems: readonly Problem[] },
  terminal: Terminal,
): void {
  if (problems.length === 0) terminal.print(`${name}: the chain is sound: ${units} units`);
  for (const problem of problems) for (const line of problemText({ ...problem, what: `${name}: ${problem.what}` })) terminal.complain(line);
}
