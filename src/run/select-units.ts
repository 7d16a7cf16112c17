import { withRequirements } from "../boot/graph.ts";
import type { RunFacts } from "../boot/record/record.ts";
import type { Unit } from "../boot/unit.ts";
import { ExitError } from "./exit-error.ts";
import { didYouMean } from "../base/nearest.ts";
import { stagesOf } from "./stages.ts";

export interface Selection {
  /** `boot`: both halves. */
  readonly stage?: Exclude<RunFacts["stage"], undefined>;
  /** Names that an operator typed; an empty list means the whole chain, or the whole half. */
  readonly units: readonly string[];
}

export interface Selected<M> {
  /** In chain order, requirements included. */
  readonly units: readonly Unit<M>[];
  /** Names of the units that were not asked for. */
  readonly prerequisites: ReadonlySet<string>;
}

/**
 * Selects the units to run: the whole chain, a half of it, or some units; always with everything that they require.
 *
 * @throws ExitError for a name that the chain does not have
 */
export function selectUnits<M>(chain: readonly Unit<M>[], { stage, units: names }: Selection): Selected<M> {
  const named = names.map((name) => unitNamed(chain, name));
  const stageOf = stagesOf(chain);
  const isOf = (unit: Unit<M>): boolean => stage === undefined || stage === "boot" || stageOf(unit) === stage;
  const asked = chain.filter((unit) => isOf(unit) && (named.length === 0 || named.includes(unit)));
  const units = withRequirements(asked, chain);
  return { units, prerequisites: new Set(units.filter((unit) => !asked.includes(unit)).map(({ name }) => name)) };
}

function unitNamed<M>(chain: readonly Unit<M>[], name: string): Unit<M> {
  const found = chain.find((unit) => unit.name === name);
  if (found !== undefined) return found;
  const names = chain.map((unit) => unit.name);
  throw new ExitError("unknownUnit", {
    code: "unknown-unit",
    what: `there is no unit ${JSON.stringify(name)}`,
    todo: didYouMean(name, names, "see guestos-boot list"),
  });
}
