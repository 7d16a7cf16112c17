import type { Problem } from "../base/problem.ts";
import { predecessors } from "./graph.ts";
import { overlap, owned } from "./ownership.ts";
import type { Unit } from "./unit.ts";

/** What a unit did to a path, as it was observed in a run. */
export interface Access {
  readonly unit: string;
  /** `list`: which names are in the folder. `make`: a folder was made, or was there; or attributes were set. Of these nothing is asked. */
  readonly kind: "read" | "list" | "write" | "make";
  readonly path: string;
  /** The line of the source that did it, where that is known. */
  readonly place?: string;
}

/**
 * Holds what units did against what they declare: a unit that writes what neither it nor a unit before it owns; and one that reads what
 * another one owns, without being ordered before or behind it. Who writes is known by `owns` alone, so a race is found also in a run in which
 * the other unit had nothing to write.
 *
 * Paths of the kernel are no files of a unit (/proc, /sys, /dev). What tools do is not seen.
 *
 * @param units a sound graph (`graphProblems` finds nothing)
 * @returns one problem for each unit and path
 */
export function raceProblems<M>(units: readonly Unit<M>[], accesses: readonly Access[]): readonly Problem[] {
  const byName = new Map(units.map((unit) => [unit.name, unit]));
  const entries = units.flatMap((unit) => unit.owns.map((entry) => ({ unit, entry: belowMount(entry) })));
  const before = new Map<Unit<M>, ReadonlySet<Unit<M>>>();
  const isBefore = (one: Unit<M>, other: Unit<M>): boolean => ancestors(other, before).has(one);
  const problems = new Map<string, Problem>();
  for (const access of accesses) {
    const unit = byName.get(access.unit);
    if (unit === undefined || OF_THE_KERNEL.test(access.path)) continue;
    const others = entries.filter(({ unit: owner, entry }) => owner !== unit && overlap(entry, pathOf(access)));
    const isOwn = unit.owns.some((entry) => overlap(owned(entry), pathOf(access)));
    if (access.kind === "write" && !isOwn && !others.some(({ unit: owner }) => isBefore(owner, unit)))
      problems.set(`${unit.name} writes ${access.path}`, foreignWrite(access, others[0]?.unit.name));
    if (access.kind !== "read" && access.kind !== "list") continue;
    const lineage = [unit, ...ancestors(unit, before)];
    if (lineage.some(({ awaits }) => awaits.some((entry) => overlap(owned(entry), pathOf(access))))) continue;
    for (const { unit: owner } of others)
      if (!isBefore(owner, unit) && !isBefore(unit, owner))
        problems.set(`${unit.name} reads ${access.path}`, unorderedRead(access, owner.name));
  }
  return [...problems.values()];
}

const OF_THE_KERNEL = /^\/(?:proc|sys|dev)(?:\/|$)/;

/** Who mounts a file system decides what is read below it. */
function belowMount(entry: string): ReturnType<typeof owned> {
  return { ...owned(entry), withBelow: true };
}

/** The path, as an entry of `owns` that stands for it alone; for a list with what is in it. */
function pathOf({ kind, path }: Access): ReturnType<typeof owned> {
  return { entry: path, segments: path === "/" ? [] : path.slice(1).split("/"), withBelow: kind === "list" };
}

function ancestors<M>(unit: Unit<M>, known: Map<Unit<M>, ReadonlySet<Unit<M>>>): ReadonlySet<Unit<M>> {
  const found = known.get(unit) ?? new Set(predecessors(unit).flatMap((one) => [one, ...ancestors(one, known)]));
  known.set(unit, found);
  return found;
}

function foreignWrite({ unit, path, place }: Access, owner: string | undefined): Problem {
  return {
    code: "unit-writes-unowned",
    what: `${unit} writes ${path}, which it does not own`,
    ...(place === undefined ? {} : { found: place }),
    todo: owner === undefined ? `add it to \`owns\` of ${unit}` : `it is ${owner}'s: let one unit write it`,
  };
}

function unorderedRead({ unit, path, place }: Access, owner: string): Problem {
  return {
    code: "unit-reads-unordered",
    what: `${unit} reads ${path}, which ${owner} owns, in no order with it`,
    ...(place === undefined ? {} : { found: place }),
    todo: `put ${owner} into \`requires\` or \`after\` of ${unit}`,
  };
}
