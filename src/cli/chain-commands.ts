import { graphProblems } from "../boot/graph.ts";
import { problemText } from "../boot/run-text.ts";
import type { Unit } from "../boot/unit.ts";
import { type Problem, toProblem } from "../system/problem.ts";
import type { ExitName } from "./exit-codes.ts";
import { requireConfiguration } from "./guards.ts";
import type { Setup } from "./setup.ts";
import { printJson, type Terminal } from "./terminal.ts";

/** What can be named after `--unit`, in boot order. @throws ExitError for a broken configuration */
export function list(setup: Setup, { json }: { readonly json: boolean }, terminal: Terminal): ExitName {
  requireConfiguration(setup);
  const { chain } = setup;
  if (json) printJson(terminal, { units: chain.map(unitFacts) });
  else
    for (const { name, stage, onFailure, title } of chain)
      terminal.print(`${name.padEnd(20)} ${stage.padEnd(5)} ${onFailure.padEnd(7)} ${title}`);
  return "ok";
}

/** Whether the chain can be run at all. The build asks this too: a broken chain must fail the build, not the boot. */
export async function verify({ chain, configuration }: Setup, { json }: { readonly json: boolean }, terminal: Terminal): Promise<ExitName> {
  const unsound = graphProblems(chain);
  const unusable = [...configuration.problems, ...(await unusableExecutables(configuration.executables))];
  const problems = [...unusable, ...unsound];
  if (json) printJson(terminal, { sound: problems.length === 0, units: chain.length, problems });
  else if (problems.length > 0) for (const problem of problems) for (const line of problemText(problem)) terminal.complain(line);
  else {
    terminal.print(`the chain is sound: ${chain.length} units`);
    for (const file of configuration.files) terminal.print(`with ${file}`);
  }
  if (unsound.length > 0) return "unsound";
  return unusable.length > 0 ? "badConfiguration" : "ok";
}

/** What would only show when it is run. */
async function unusableExecutables(paths: readonly string[]): Promise<readonly Problem[]> {
  if (paths.length === 0) return [];
  const [{ requireRootsExecutable }, { systemHost }] = await Promise.all([import("../system/roots-alone.ts"), import("../system/host.ts")]);
  const host = systemHost({ signal: new AbortController().signal });
  const looks = paths.map(async (path) =>
    requireRootsExecutable(host, path).then(
      () => [],
      (error: unknown) => [toProblem(error)],
    ),
  );
  return (await Promise.all(looks)).flat();
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
