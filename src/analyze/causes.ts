import { type Interval, predecessorsOf, releasedBy, type RunBars, type UnitBar } from "./timeline.ts";

/** A piece of a run's critical chain. Pieces follow each other without a gap, from the run's start to its end. */
export interface Link extends Interval {
  /** Absent for the runner's own time. */
  readonly unit?: UnitBar;
}

/**
 * The units that the run's end waited for: the one that ended last, the one that released it, and so on to the start. The gap between two
 * of them is the runner's own time, a piece without a unit.
 */
export function criticalChain(run: RunBars): readonly Link[] {
  const links: Link[] = [];
  let unit = run.units.toSorted((one, other) => other.end - one.end)[0];
  let at = run.end;
  while (unit !== undefined) {
    if (at > unit.end) links.push({ start: unit.end, end: at });
    links.push({ unit, start: unit.start, end: unit.end });
    at = unit.start;
    unit = releasedBy(unit, run);
  }
  if (at > run.start) links.push({ start: run.start, end: at });
  return links.toReversed();
}

/**
 * The seconds that the run would have gained if a unit had taken no time. Every other unit keeps its duration, and its delay between the
 * release and the start. Units that share a processor or a disk slow each other down; this is ignored, so the real gain is then larger.
 */
export function gains(run: RunBars): ReadonlyMap<string, number> {
  const before = new Map(run.units.map((unit) => [unit.name, predecessorsOf(unit, run)]));
  const lags = new Map(
    run.units.map((unit) => [unit.name, unit.start - latest(run.start, before.get(unit.name) ?? [], (first) => first.end)]),
  );
  const endWithout = (instant: string | undefined): number => {
    const ends = new Map<string, number>();
    // In order of their start: a unit's predecessors have ended, and so started, before it.
    for (const { name, start, end } of run.units) {
      const released = latest(run.start, before.get(name) ?? [], (first) => ends.get(first.name) ?? first.end);
      ends.set(name, released + (lags.get(name) ?? 0) + (name === instant ? 0 : end - start));
    }
    return Math.max(run.start, ...ends.values());
  };
  const asItWas = endWithout(undefined);
  return new Map(run.units.map(({ name }) => [name, Math.max(0, asItWas - endWithout(name))]));
}

function latest(from: number, units: readonly UnitBar[], end: (unit: UnitBar) => number): number {
  return Math.max(from, ...units.map(end));
}
