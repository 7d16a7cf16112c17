import { predecessors, inOrder, withDependents } from "../boot/graph.ts";
import type { Stage } from "../boot/record/record.ts";
import type { Unit } from "../boot/unit.ts";
import { systemBus } from "../units/services/system-bus.ts";

/**
 * The two halves of a boot, derived from the graph alone. systemd starts the bus once it is told that every unit that
 * does not wait for the bus has ended. So `late` is each unit that waits for the bus, directly or not, and `early` is
 * the rest.
 *
 * @returns a function that names the half of each unit of the chain
 */
export function stagesOf<M>(chain: readonly Unit<M>[]): (unit: Unit<M>) => Stage {
  const late = withDependents(systemBus.name, chain);
  return (unit) => (late.has(unit) ? "late" : "early");
}

/**
 * The units as a boot runs them: the wait for the bus begins once all early units have ended, because systemd starts
 * no bus before that. Its timeout is meant for systemd, not for a disk that is being encrypted.
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
