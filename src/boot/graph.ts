import type { Problem } from "../base/problem.ts";
import { overlap, owned } from "./ownership.ts";
import type { Unit } from "./unit.ts";

/**
 * Finds everything that is wrong with a chain before anything runs: a broken chain must fail the build, not the boot.
 *
 * @returns one problem per duplicate name, requirement outside the chain, cycle, and path or device that two units own; empty when the
 *   chain is sound
 */
export function graphProblems<M>(units: readonly Unit<M>[]): readonly Problem[] {
  return [...duplicateNames(units), ...unknownDependencies(units), ...cycles(units), ...sharedOwnership(units)];
}

/** The units and everything that they require, directly or not, in the order of `chain`. */
export function withRequirements<M>(selected: readonly Unit<M>[], chain: readonly Unit<M>[]): readonly Unit<M>[] {
  const wanted = new Set<Unit<M>>();
  const open = [...selected];
  for (let unit = open.pop(); unit !== undefined; unit = open.pop()) {
    if (wanted.has(unit)) continue;
    wanted.add(unit);
    open.push(...unit.requires);
  }
  return chain.filter((unit) => wanted.has(unit));
}

/** The unit of that name and all units that wait for it, directly or not; empty where no unit has the name. */
export function withDependents<M>(name: string, units: readonly Unit<M>[]): ReadonlySet<Unit<M>> {
  const found = new Set<Unit<M>>();
  for (const unit of inOrder(units)) if (unit.name === name || predecessors(unit).some((one) => found.has(one))) found.add(unit);
  return found;
}

/** The units that this machine has (`absent` of a unit), in the same order. They may require units that it does not have. */
export async function presentUnits<M>(units: readonly Unit<M>[], machine: M): Promise<readonly Unit<M>[]> {
  const reasons = await Promise.all(units.map(async ({ absent }) => absent?.(machine)));
  return units.filter((_, index) => reasons[index] === undefined);
}

/** Changed copies of the units; their dependencies are changed copies too. */
export function changedUnits<M>(units: readonly Unit<M>[], change: (unit: Unit<M>) => Unit<M>): readonly Unit<M>[] {
  const known = new Map<Unit<M>, Unit<M>>();
  const changed = (unit: Unit<M>): Unit<M> => {
    const before = known.get(unit);
    if (before !== undefined) return before;
    const made = change({ ...unit, requires: unit.requires.map(changed), after: unit.after.map(changed) });
    known.set(unit, made);
    return made;
  };
  return units.map(changed);
}

/**
 * Copies of the units that depend on other units of the chain: what one system has in place of another one's unit.
 *
 * @param inPlace by the unit that is not in the chain, those that come in its place; none where nothing does
 * @param more by the unit, what it requires besides
 */
export function unitsWith<M>(
  units: readonly Unit<M>[],
  inPlace: ReadonlyMap<Unit<M>, readonly Unit<M>[]>,
  more: ReadonlyMap<Unit<M>, readonly Unit<M>[]> = new Map(),
): readonly Unit<M>[] {
  const known = new Map<Unit<M>, Unit<M>>();
  const copies = (dependencies: readonly Unit<M>[]): readonly Unit<M>[] =>
    dependencies.flatMap((unit) => inPlace.get(unit) ?? [unit]).map(copy);
  const copy = (unit: Unit<M>): Unit<M> => {
    const before = known.get(unit);
    if (before !== undefined) return before;
    const made = { ...unit, requires: copies([...unit.requires, ...(more.get(unit) ?? [])]), after: copies(unit.after) };
    known.set(unit, made);
    return made;
  };
  return copies(units);
}

/**
 * The units ordered so that each comes after the units that it requires or follows. A valid order stays as it is; a cycle is cut at an
 * arbitrary place.
 */
export function inOrder<M>(units: readonly Unit<M>[]): readonly Unit<M>[] {
  const untouched = new Set(units);
  const placed = new Set<Unit<M>>();
  for (const unit of units) {
    // An explicit stack, not a recursion: a long chain given backwards must not overflow the call stack.
    const open = [unit];
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      untouched.delete(top);
      const before = predecessors(top).filter((predecessor) => untouched.has(predecessor));
      open.push(...before);
      if (before.length > 0) continue;
      placed.add(top);
      open.pop();
    }
  }
  return [...placed];
}

/** The units that must have ended before this unit starts. */
export function predecessors<M>(unit: Unit<M>): readonly Unit<M>[] {
  // Most units have an empty `after`.
  return unit.after.length === 0 ? unit.requires : [...new Set([...unit.requires, ...unit.after])];
}

function duplicateNames<M>(units: readonly Unit<M>[]): readonly Problem[] {
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const { name } of units) {
    if (seen.has(name))
      problems.push({ code: "unit-name-taken", what: `two units are named ${name}`, todo: "give each unit a name of its own" });
    seen.add(name);
  }
  return problems;
}

function unknownDependencies<M>(units: readonly Unit<M>[]): readonly Problem[] {
  const known = new Set(units);
  return units.flatMap((unit) =>
    unit.requires
      .filter((requirement) => !known.has(requirement))
      .map((requirement) => ({
        code: "requirement-not-in-chain",
        what: `${unit.name} requires ${requirement.name}, which is not part of the chain`,
        todo: `add ${requirement.name} to the profile, or remove ${unit.name} from it`,
      })),
  );
}

/** One problem for each cycle, until no cycle is left: no two reported cycles share a unit. */
function cycles<M>(units: readonly Unit<M>[]): readonly Problem[] {
  const problems: Problem[] = [];
  for (let rest = unorderable(units); rest.size > 0;) {
    const cycle = cycleAmong(rest);
    const names = [...cycle, ...cycle.slice(0, 1)].map(({ name }) => name);
    problems.push({
      code: "units-in-a-circle",
      what: `units wait for each other: ${names.join(" → ")}`,
      todo: "remove one of these dependencies",
    });
    for (const member of cycle) rest.delete(member);
    rest = unorderable([...rest]);
  }
  return problems;
}

/** Every unit in `rest` lies on a cycle or behind one, so walking from any of them along its predecessors ends in a cycle. */
function cycleAmong<M>(rest: ReadonlySet<Unit<M>>): readonly Unit<M>[] {
  const path = new Set<Unit<M>>();
  let [unit] = rest;
  while (unit !== undefined && !path.has(unit)) {
    path.add(unit);
    unit = predecessors(unit).find((candidate) => rest.has(candidate));
  }
  const walked = [...path];
  return unit === undefined ? walked : walked.slice(walked.indexOf(unit));
}

/** Repeatedly removes units without a predecessor left (Kahn's algorithm), and returns the rest: linear in units and dependencies. */
function unorderable<M>(units: readonly Unit<M>[]): Set<Unit<M>> {
  const rest = new Set(units);
  const waitingFor = new Map<Unit<M>, number>();
  const followers = new Map<Unit<M>, Unit<M>[]>([...rest].map((unit) => [unit, []]));
  for (const unit of rest) {
    const before = predecessors(unit).filter((predecessor) => rest.has(predecessor));
    waitingFor.set(unit, before.length);
    for (const predecessor of before) followers.get(predecessor)?.push(unit);
  }
  const free = [...rest].filter((unit) => waitingFor.get(unit) === 0);
  // The list grows during the iteration.
  for (const unit of free) {
    rest.delete(unit);
    for (const follower of followers.get(unit) ?? []) {
      const left = (waitingFor.get(follower) ?? 0) - 1;
      waitingFor.set(follower, left);
      if (left === 0) free.push(follower);
    }
  }
  return rest;
}

function sharedOwnership<M>(units: readonly Unit<M>[]): readonly Problem[] {
  const all = units.flatMap(({ name, owns }) => owns.map((entry) => ({ name, thing: owned(entry) })));
  const problems: Problem[] = [];
  for (const [index, one] of all.entries()) {
    for (let next = index + 1; next < all.length; next++) {
      const other = all[next];
      if (other === undefined || other.name === one.name || !overlap(one.thing, other.thing)) continue;
      problems.push({
        code: "both-write",
        what:
          one.thing.entry === other.thing.entry
            ? `${one.name} and ${other.name} both write ${one.thing.entry}`
            : `${one.name} writes ${one.thing.entry}, and ${other.name} writes ${other.thing.entry}: these overlap`,
        todo: "let one unit own it, and the other require that unit",
      });
    }
  }
  return problems;
}
