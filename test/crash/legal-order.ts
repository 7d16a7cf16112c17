import type { Unit } from "../../src/boot/unit.ts";
import { predecessors } from "../../src/boot/graph.ts";
import { chance } from "./effects/chance.ts";

/** The units one after the other, none before one that it requires or comes after: which of those that may come next does, the seed decides. */
export function legalOrder<M>(units: readonly Unit<M>[], seed: number): readonly Unit<M>[] {
  const open = new Set(units);
  const order: Unit<M>[] = [];
  while (open.size > 0) {
    const possible = [...open].filter((unit) => !predecessors(unit).some((other) => open.has(other)));
    const next = possible[Math.floor(chance(`${seed} ${order.length}`) * possible.length)];
    if (next === undefined) throw new Error(`no unit can be next: ${possible.length} of ${open.size}`);
    open.delete(next);
    order.push(next);
  }
  return order;
}
