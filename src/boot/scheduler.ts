import { predecessors } from "./graph.ts";
import type { Unit } from "./unit.ts";

export interface Schedule<M, R> {
  /** Runs one unit to its end. Must not throw: every ending is a value. */
  readonly run: (unit: Unit<M>) => Promise<R>;
  /** Called instead of `run` where `stands` is false for a requirement; `because` names those requirements. */
  readonly skip: (unit: Unit<M>, because: readonly Unit<M>[]) => R;
  /** Whether the units that require this one can rely on its result. */
  readonly stands: (result: R) => boolean;
  /** The order in which units that become ready together are started; tests shuffle it to expose a missing dependency. */
  readonly arrange?: (ready: readonly Unit<M>[]) => readonly Unit<M>[];
}

/** A unit and its progress. */
interface Node<M> {
  readonly unit: Unit<M>;
  readonly followers: Node<M>[];
  /** The number of predecessors that have not ended. */
  waitingFor: number;
  /** A requirement did not succeed. */
  isToSkip: boolean;
}

/**
 * Starts every unit whose predecessors have ended, all independent ones at once, and resolves when all have ended.
 * Each unit is run or skipped exactly once. Linear in units and dependencies.
 *
 * @param units a sound graph (`graphProblems` finds nothing); predecessors that are not among them are ignored
 */
export function schedule<M, R>(units: readonly Unit<M>[], { run, skip, stands, arrange }: Schedule<M, R>): Promise<ReadonlyMap<string, R>> {
  const nodes = nodesOf(units);
  const results = new Map<string, R>();
  return new Promise((resolve, reject) => {
    /** @returns the followers that have no predecessor left to wait for */
    const end = ({ unit, followers }: Node<M>, result: R): readonly Node<M>[] => {
      results.set(unit.name, result);
      const isMissing = !stands(result);
      return followers.filter((follower) => {
        if (isMissing && follower.unit.requires.includes(unit)) follower.isToSkip = true;
        follower.waitingFor -= 1;
        return follower.waitingFor === 0;
      });
    };
    const missing = ({ requires }: Unit<M>): readonly Unit<M>[] =>
      requires.filter(({ name }) => {
        const result = results.get(name);
        return result !== undefined && !stands(result);
      });
    const arranged = (ready: readonly Node<M>[]): readonly Node<M>[] => {
      if (arrange === undefined) return ready;
      return arrange(ready.map(({ unit }) => unit)).flatMap((unit) => nodes.get(unit) ?? []);
    };
    // A loop, not a recursion: a chain of ten thousand skipped units must not overflow the stack.
    const advance = (first: readonly Node<M>[]): void => {
      for (let ready = first; ready.length > 0;) {
        const freed: Node<M>[] = [];
        for (const node of arranged(ready)) {
          if (node.isToSkip) freed.push(...end(node, skip(node.unit, missing(node.unit))));
          else
            run(node.unit)
              .then((result) => advance(end(node, result)))
              .catch(reject);
        }
        ready = freed;
      }
      if (results.size === units.length) resolve(results);
    };
    advance([...nodes.values()].filter(({ waitingFor }) => waitingFor === 0));
  });
}

function nodesOf<M>(units: readonly Unit<M>[]): ReadonlyMap<Unit<M>, Node<M>> {
  const nodes = new Map<Unit<M>, Node<M>>();
  for (const unit of units) nodes.set(unit, { unit, followers: [], waitingFor: 0, isToSkip: false });
  for (const node of nodes.values()) {
    for (const predecessor of predecessors(node.unit)) {
      const before = nodes.get(predecessor);
      if (before === undefined) continue;
      before.followers.push(node);
      node.waitingFor += 1;
    }
  }
  return nodes;
}
