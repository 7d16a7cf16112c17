import type { Unit } from "../boot/unit.ts";
import type { Stage } from "../boot/record/record.ts";
import { stagesOf } from "./stages.ts";

/** The facts of a unit for programs and pictures: `list --json`, `graph`. */
export interface UnitFacts {
  readonly name: string;
  readonly title: string;
  readonly stage: Stage;
  readonly onFailure: Unit<never>["onFailure"];
  readonly timeoutSeconds: number;
  readonly requires: readonly string[];
  readonly after: readonly string[];
  readonly owns: readonly string[];
}

export function unitFacts<M>(chain: readonly Unit<M>[]): readonly UnitFacts[] {
  const stageOf = stagesOf(chain);
  return chain.map((unit) => ({
    name: unit.name,
    title: unit.title,
    stage: stageOf(unit),
    onFailure: unit.onFailure,
    timeoutSeconds: unit.timeout / 1000,
    requires: unit.requires.map(({ name }) => name),
    after: unit.after.map(({ name }) => name),
    owns: unit.owns,
  }));
}
