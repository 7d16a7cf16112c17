import { rounded } from "../base/clock.ts";
import { type Boot, bootFacts } from "./boot.ts";
import type { DiffDocument } from "./documents.ts";
import { outcomeOf, runName } from "./measures.ts";
import { partsOf, shares } from "./parts.ts";
import type { UnitBar } from "./timeline.ts";

/** The changes from one boot to another: phases in their order, units by the size of the change. */
export function diffDocument(from: Boot, to: Boot): DiffDocument {
  const phases = sideBySide(phaseSeconds(from), phaseSeconds(to)).map(([label, before, after]) => ({
    label,
    from: before ?? null,
    to: after ?? null,
  }));
  const units = sideBySide(unitBars(from), unitBars(to)).map(([key, before, after]) => ({
    run: key.slice(0, key.indexOf(" ")),
    name: key.slice(key.indexOf(" ") + 1),
    from: ended(before),
    to: ended(after),
    parts: partChanges(before, after),
  }));
  const delta = ({ from: before, to: after }: (typeof units)[number]): number => Math.abs((after?.seconds ?? 0) - (before?.seconds ?? 0));
  return {
    from: bootFacts(from),
    to: bootFacts(to),
    phases,
    units: units.toSorted((one, other) => delta(other) - delta(one)),
  };
}

/** Phases that occur twice (a run that was repeated) are added up. */
function phaseSeconds({ phases }: Boot): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { label, start, end } of phases) sums.set(label, rounded((sums.get(label) ?? 0) + end - start));
  return sums;
}

/** By run and name; where a stage ran twice, the last run counts. */
function unitBars({ runs }: Boot): ReadonlyMap<string, UnitBar> {
  return new Map(runs.flatMap((run) => run.units.map((unit) => [`${runName(run)} ${unit.name}`, unit])));
}

function ended(unit: UnitBar | undefined): DiffDocument["units"][number]["from"] {
  return unit === undefined ? null : { outcome: outcomeOf(unit), seconds: rounded(unit.end - unit.start) };
}

function partChanges(before: UnitBar | undefined, after: UnitBar | undefined): DiffDocument["units"][number]["parts"] {
  if (before === undefined || after === undefined) return [];
  const table = (unit: UnitBar): ReadonlyMap<string, ReturnType<typeof shares>[number]> =>
    new Map(shares(partsOf(unit)).map((share) => [`${share.kind} ${share.label}`, share]));
  return sideBySide(table(before), table(after))
    .flatMap(([, one, other]) => {
      const known = one ?? other;
      return known === undefined ? [] : [{ kind: known.kind, label: known.label, from: one?.seconds ?? 0, to: other?.seconds ?? 0 }];
    })
    .filter(({ from, to }) => Math.abs(to - from) >= 0.01)
    .toSorted((one, other) => Math.abs(other.to - other.from) - Math.abs(one.to - one.from));
}

/** Every key of either map, in the order of the first, then of the second. */
function sideBySide<T>(
  one: ReadonlyMap<string, T>,
  other: ReadonlyMap<string, T>,
): readonly (readonly [string, T | undefined, T | undefined])[] {
  return [...new Set([...one.keys(), ...other.keys()])].map((key) => [key, one.get(key), other.get(key)]);
}
