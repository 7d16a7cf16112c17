import { predecessors } from "./graph.ts";
import type { Unit } from "./unit.ts";

export interface Schedule<M, R> {
  /** Runs one unit to its end. Must not throw: every ending is a value. */
  readonly run: (unit: Unit<M>) => Promise<R>;
  /** Called instead of `run` when a requirement did not succeed; it names those that did not. */
  readonly skip: (unit: Unit<M>, because: readonly Unit<M>[]) => R;
  readonly succeeded: (result: R) => boolean;
  /** The order in which units that are ready together are started; tests shuffle it to expose a missing dependency. */
  readonly arrange?: (ready: readonly Unit<M>[]) => readonly Unit<M>[];
}

/**
 * Starts every unit whose predecessors have ended, all independent ones at once, and resolves when all have ended.
 * Each unit is run or skipped exactly once. Linear in units and dependencies.
 *
 * @param units a sound graph (`graphProblems` finds nothing); predecessors that are not among them do not count
 */
export function schedule<M, R>(
  units: readonly Unit<M>[],
  { run, skip, succeeded, arrange }: Schedule<M, R>,
): Promise<ReadonlyMap<string, R>> {
  const among = new Set(units);
  const waitingFor = new Map<Unit<M>, number>();
  const followers = new Map<Unit<M>, Unit<M>[]>(units.map((unit) => [unit, []]));
  for (const unit of units) {
    const before = predecessors(unit).filter((predecessor) => among.has(predecessor));
    waitingFor.set(unit, before.length);
    for (const predecessor of before) followers.get(predecessor)?.push(unit);
  }
  const results = new Map<string, R>();
  return new Promise((resolve, reject) => {
    const end = (unit: Unit<M>, result: R): readonly Unit<M>[] => {
      results.set(unit.name, result);
      return (followers.get(unit) ?? []).filter((follower) => {
        const left = (waitingFor.get(follower) ?? 0) - 1;
        waitingFor.set(follower, left);
        return left === 0;
      });
    };
    // A loop, not a recursion: a chain of ten thousand skipped units must not end in a stack overflow.
    const advance = (ready: readonly Unit<M>[]): void => {
      for (let next = ready; next.length > 0;) {
        const freed: (readonly Unit<M>[])[] = [];
        for (const unit of arrange?.(next) ?? next) {
          const missing = unit.requires.filter((requirement) => {
            const result = results.get(requirement.name);
            return result !== undefined && !succeeded(result);
          });
          if (missing.length > 0) freed.push(end(unit, skip(unit, missing)));
          else
            run(unit)
              .then((result) => advance(end(unit, result)))
              .catch(reject);
        }
        next = freed.flat();
      }
      if (results.size === units.length) resolve(results);
    };
    advance(units.filter((unit) => waitingFor.get(unit) === 0));
  });
}
