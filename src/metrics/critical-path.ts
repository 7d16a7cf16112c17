import type { UnitView } from "../boot/record/run-view.ts";

interface Ended extends UnitView {
  readonly startedAt: number;
  readonly endedAt: number;
}

/**
 * The units that decided when a run ended: the one that ended last, the one that ended last among those that it waited for, and so on. A
 * run becomes shorter only if one of these does.
 *
 * @returns in the order in which they ran; empty when no unit has ended
 */
export function criticalPath(units: readonly UnitView[]): readonly { readonly name: string; readonly seconds: number }[] {
  const ended = new Map(units.filter(hasEnded).map((unit) => [unit.name, unit]));
  const path: Ended[] = [];
  for (let unit = latest([...ended.values()]); unit !== undefined; unit = latest(predecessors(unit, ended))) path.unshift(unit);
  return path.map(({ name, startedAt, endedAt }) => ({ name, seconds: endedAt - startedAt }));
}

/** Only units that ended before it started: a record that contradicts this must not cause an endless loop. */
function predecessors(unit: Ended, ended: ReadonlyMap<string, Ended>): readonly Ended[] {
  return [...unit.requires, ...(unit.after ?? [])].flatMap((name) => {
    const first = ended.get(name);
    return first === undefined || first === unit || first.endedAt > unit.startedAt ? [] : [first];
  });
}

function latest(units: readonly Ended[]): Ended | undefined {
  return units.reduce<Ended | undefined>((last, unit) => (last === undefined || unit.endedAt > last.endedAt ? unit : last), undefined);
}

function hasEnded(unit: UnitView): unit is Ended {
  return unit.startedAt !== undefined && unit.endedAt !== undefined;
}
