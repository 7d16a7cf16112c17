import type { Unit } from "../boot/unit.ts";
import { stagesOf } from "./stages.ts";

/** The facts of the units for programs and pictures: `list --json`, `graph`. */
export function unitFacts<M>(chain: readonly Unit<M>[]) {
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
