import { predecessors, inOrder, withDependents } from "../boot/graph.ts";
import type { Stage } from "../boot/record/record.ts";
import type { Unit } from "../boot/unit.ts";
import { systemBus } from "../units/services/system-bus.ts";

/**
 * The two halves of a boot, which the graph alone tells apart: systemd starts the bus when it has heard that all is done which does not
 * wait for it. So `late` is what waits for the bus, directly or not, and `early` is the rest.
 *
 * @returns which half each unit of the chain is in
 */
export function stagesOf<M>(chain: readonly Unit<M>[]): (unit: Unit<M>) => Stage {
  const late = withDependents(systemBus.name, chain);
  return (unit) => (late.has(unit) ? "late" : "early");
}

/**
 * The units as a boot runs them: the wait for the bus begins when all has ended without which there will be none. Its patience is for
 * systemd, and not for a disk that is being encrypted.
 */
export function bootOrder<M>(units: readonly Unit<M>[]): readonly Unit<M>[] {
  const stageOf = stagesOf(units);
  const early = units.filter((unit) => stageOf(unit) === "early");
  const copies = new Map<Unit<M>, Unit<M>>();
  const current = (unit: Unit<M>): Unit<M> => copies.get(unit) ?? unit;
  for (const unit of inOrder(units)) {
    if (unit.name === systemBus.name) copies.set(unit, { ...unit, after: [...unit.after, ...early] });
    else if (predecessors(unit).some((before) => copies.has(before)))
      copies.set(unit, { ...unit, requires: unit.requires.map(current), after: unit.after.map(current) });
  }
  return units.map(current);
}
