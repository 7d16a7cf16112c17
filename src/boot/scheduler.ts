import { predecessors } from "./graph.ts";
import type { Unit } from "./unit.ts";

export interface Schedule<M, R> {
  /** Runs one unit to its end. Must not throw: every ending is a value. */
  readonly run: (unit: Unit<M>) => Promise<R>;
  /** Called instead of `run` when something that it requires does not stand; it names that. */
  readonly skip: (unit: Unit<M>, because: readonly Unit<M>[]) => R;
  /** Whether what the unit is required for is there. */
  readonly stands: (result: R) => boolean;
  /** The order in which units that are ready together are started; tests shuffle it to expose a missing dependency. */
  readonly arrange?: (ready: readonly Unit<M>[]) => readonly Unit<M>[];
}

/**
 * Starts every unit whose predecessors have ended, all independent ones at once, and resolves when all have ended.
 * Each unit is run or skipped exactly once. Linear in units and dependencies: units are known by their place in `units`, so that a
 * hundred thousand of them cost each little more than a hundred do.
 *
 * @param units a sound graph (`graphProblems` finds nothing); predecessors that are not among them do not count
 */
export function schedule<M, R>(units: readonly Unit<M>[], { run, skip, stands, arrange }: Schedule<M, R>): Promise<ReadonlyMap<string, R>> {
  const places = new Map(units.map((unit, place) => [unit, place]));
  const waitingFor = new Uint32Array(units.length);
  const followers: number[][] = units.map(() => []);
  for (const [place, unit] of units.entries()) {
    for (const predecessor of predecessors(unit)) {
      const before = followers[places.get(predecessor) ?? -1];
      if (before === undefined) continue;
      before.push(place);
      waitingFor[place] = (waitingFor[place] ?? 0) + 1;
    }
  }
  const results = new Map<string, R>();
  const isToSkip = new Uint8Array(units.length);
  return new Promise((resolve, reject) => {
    /** @param freed takes those that wait for nothing now */
    const end = (place: number, unit: Unit<M>, result: R, freed: number[]): void => {
      results.set(unit.name, result);
      const isMissing = !stands(result);
      for (const follower of followers[place] ?? []) {
        if (isMissing && units[follower]?.requires.includes(unit) === true) isToSkip[follower] = 1;
        const left = (waitingFor[follower] ?? 0) - 1;
        waitingFor[follower] = left;
        if (left === 0) freed.push(follower);
      }
    };
    const missing = ({ requires }: Unit<M>): readonly Unit<M>[] =>
      requires.filter(({ name }) => {
        const result = results.get(name);
        return result !== undefined && !stands(result);
      });
    // A loop, not a recursion: a chain of ten thousand skipped units must not end in a stack overflow.
    const advance = (ready: readonly number[]): void => {
      for (let next = ready; next.length > 0;) {
        const freed: number[] = [];
        for (const place of arranged(next)) {
          const unit = units[place];
          if (unit === undefined) continue;
          if (isToSkip[place] === 1) end(place, unit, skip(unit, missing(unit)), freed);
          else
            run(unit)
              .then((result) => go(place, unit, result))
              .catch(reject);
        }
        next = freed;
      }
      if (results.size === units.length) resolve(results);
    };
    const go = (place: number, unit: Unit<M>, result: R): void => {
      const freed: number[] = [];
      end(place, unit, result, freed);
      advance(freed);
    };
    const arranged = (ready: readonly number[]): readonly number[] => {
      if (arrange === undefined) return ready;
      return arrange(ready.flatMap((place) => units[place] ?? [])).map((unit) => places.get(unit) ?? -1);
    };
    advance([...units.keys()].filter((place) => waitingFor[place] === 0));
  });
}
