import { basename } from "node:path";

/** The verbs that operators and the orchestrator know from older systems, with the commands of this program. */
export const managebootVerbs: Readonly<Record<string, readonly string[]>> = {
  "upgrade-install": ["upgrade", "install"],
  "upgrade-commit": ["upgrade", "commit"],
  confirm: ["upgrade", "confirm"],
  current: ["upgrade", "current"],
  target: ["upgrade", "target"],
  next: ["upgrade", "next"],
};

/**
 * Translates the command line into arguments of guestos-boot. The old verbs are recognized as `manageboot VERB` (a
 * link to the program) and as `guestos-boot manageboot VERB`. The word `guestos`, which the old tool had before the
 * verb, is optional.
 *
 * @param argv0 the name by which the program was called
 */
export function translatedArguments(argv0: string, args: readonly string[]): readonly string[] {
  const all = basename(argv0) === "manageboot" ? ["manageboot", ...args] : args;
  if (all[0] !== "manageboot") return all;
  const [verb, ...rest] = all[1] === "guestos" ? all.slice(2) : all.slice(1);
  const known = verb === undefined || !Object.hasOwn(managebootVerbs, verb) ? undefined : managebootVerbs[verb];
  return known === undefined ? all : [...known, ...rest];
}
