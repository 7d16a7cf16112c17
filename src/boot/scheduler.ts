import { predecessors } from "./graph.ts";
import type { Unit } from "./unit.ts";

export interface Schedule<M> {
  /** Runs one unit to its end, and returns whether the units that require it can rely on it. Must not throw. */
  readonly run: (unit: Unit<M>) => Promise<boolean>;
  /** Called instead of `run` where a requirement cannot be relied on; `because` names those requirements. */
  readonly skip: (unit: Unit<M>, because: readonly Unit<M>[]) => void;
  /** The order in which units that become ready together are started; tests shuffle it to expose a missing dependency. */
  readonly arrange?: (ready: readonly Unit<M>[]) => readonly Unit<M>[];
}

/** A unit and its progress. */
interface Node<M> {
  readonly unit: Unit<M>;
  readonly followers: Node<M>[];
  /** The number of predecessors that have not ended. */
  waitingFor: number;
  /** A requirement cannot be relied on. */
  isToSkip: boolean;
  /** It cannot be relied on: it failed, or was skipped. */
  isMissing: boolean;
}

/**
 * Starts every unit whose predecessors have ended, all independent ones at once, and resolves when all have ended.
 * Each unit is run or skipped exactly once. Linear in units and dependencies.
 *
 * @param units a sound graph (`graphProblems` finds nothing); predecessors that are not among them are ignored
 */
export function schedule<M>(units: readonly Unit<M>[], { run, skip, arrange }: Schedule<M>): Promise<void> {
  const nodes = nodesOf(units);
  let open = nodes.size;
  return new Promise((resolve, reject) => {
    /** @returns the followers that have no predecessor left to wait for */
    const end = (node: Node<M>, isMissing: boolean): readonly Node<M>[] => {
      node.isMissing = isMissing;
      open -= 1;
      return node.followers.filter((follower) => {
        if (isMissing && follower.unit.requires.includes(node.unit)) follower.isToSkip = true;
        follower.waitingFor -= 1;
        return follower.waitingFor === 0;
      });
    };
    const skipped = (node: Node<M>): readonly Node<M>[] => {
      skip(
        node.unit,
        node.unit.requires.filter((unit) => nodes.get(unit)?.isMissing),
      );
      return end(node, true);
    };
    const arranged = (ready: readonly Node<M>[]): readonly Node<M>[] => {
      if (arrange === undefined) return ready;
      return arrange(ready.map(({ unit }) => unit)).flatMap((unit) => nodes.get(unit) ?? []);
    };
    // A loop, not a recursion: a chain of ten thousand skipped units must not overflow the stack.
    const advance = (first: readonly Node<M>[]): void => {
      for (let ready = first; ready.length > 0;) {
        const freed: Node<M>[] = [];
        for (const node of arranged(ready)) {
          if (node.isToSkip) freed.push(...skipped(node));
          else
            run(node.unit)
              .then((stands) => advance(end(node, !stands)))
              .catch(reject);
        }
        ready = freed;
      }
      if (open === 0) resolve();
    };
    advance([...nodes.values()].filter(({ waitingFor }) => waitingFor === 0));
  });
}

function nodesOf<M>(units: readonly Unit<M>[]): ReadonlyMap<Unit<M>, Node<M>> {
  const nodes = new Map<Unit<M>, Node<M>>();
  for (const unit of units) nodes.set(unit, { unit, followers: [], waitingFor: 0, isToSkip: false, isMissing: false });
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
