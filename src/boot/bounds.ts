import { inOrder, predecessors } from "./graph.ts";
import { ABORT_GRACE } from "./runner.ts";
import type { Unit } from "./unit.ts";

/** A way through the graph: each unit requires or follows the one before it. */
export interface LongestPath<M> {
  /** Seconds that it may take. */
  readonly seconds: number;
  readonly units: readonly Unit<M>[];
}

/**
 * The longest that the units can take. Independent units run at once, so it is the way whose timeouts have the largest sum. A timeout
 * includes all retries of its unit; what does not end then is given up after a grace of some seconds.
 *
 * @param units a sound graph (`graphProblems` finds nothing); predecessors that are not among them are ignored
 */
export function longestPath<M>(units: readonly Unit<M>[]): LongestPath<M> {
  const longest = new Map<Unit<M>, LongestPath<M>>();
  const nothing: LongestPath<M> = { seconds: 0, units: [] };
  const longer = (one: LongestPath<M>, other: LongestPath<M>): LongestPath<M> => (other.seconds > one.seconds ? other : one);
  for (const unit of inOrder(units)) {
    const before = predecessors(unit).reduce((most, one) => longer(most, longest.get(one) ?? nothing), nothing);
    longest.set(unit, { seconds: before.seconds + (unit.timeout + ABORT_GRACE) / 1000, units: [...before.units, unit] });
  }
  return [...longest.values()].reduce(longer, nothing);
}
