import { basename } from "node:path";

/** The verbs that operators and the orchestrator know from older systems, and what they are called here. */
export const managebootVerbs: Readonly<Record<string, readonly string[]>> = {
  "upgrade-install": ["upgrade", "install"],
  "upgrade-commit": ["upgrade", "commit"],
  confirm: ["upgrade", "confirm"],
  current: ["upgrade", "current"],
  target: ["upgrade", "target"],
  next: ["upgrade", "next"],
};

/**
 * What was typed, as arguments of guestos-boot. As `manageboot VERB` (a link to the program) or `guestos-boot manageboot VERB`
 * the old verbs are translated; the word `guestos`, which the old tool had before the verb, may stand there or not.
 *
 * @param argv0 the name that the program was called by
 */
export function translatedArguments(argv0: string, args: readonly string[]): readonly string[] {
  const all = basename(argv0) === "manageboot" ? ["manageboot", ...args] : args;
  if (all[0] !== "manageboot") return all;
  const [verb, ...rest] = all[1] === "guestos" ? all.slice(2) : all.slice(1);
  const known = verb === undefined || !Object.hasOwn(managebootVerbs, verb) ? undefined : managebootVerbs[verb];
  return known === undefined ? all : [...known, ...rest];
}
