import { rounded } from "../base/clock.ts";
import { type Boot, bootFacts } from "./boot.ts";
import { criticalChain, gains } from "./causes.ts";
import type { BlameDocument, CriticalChainDocument, TimeDocument, TimelineDocument } from "./documents.ts";
import { byKind, partsOf, shares, toolName, waitLabel } from "./parts.ts";
import { type Bar, releasedBy, type RunBars, type UnitBar } from "./timeline.ts";

export function runName({ facts }: RunBars): string {
  return facts.stage ?? "run";
}

export function outcomeOf({ result }: UnitBar): NonNullable<UnitBar["result"]>["kind"] | "running" {
  return result?.kind ?? "running";
}

function phaseList(boot: Boot): TimeDocument["phases"] {
  return boot.phases.map(({ kind, label, start, end }) => ({ kind, label, start: rounded(start), seconds: rounded(end - start) }));
}

/** The parts of the boot's time, from power-on. */
export function timeDocument(boot: Boot): TimeDocument {
  const seconds = rounded((boot.phases.at(-1)?.end ?? 0) - (boot.phases[0]?.start ?? 0));
  return { ...bootFacts(boot), clocks: boot.clocks, phases: phaseList(boot), seconds };
}

/** The units by duration, the longest first. */
export function blameDocument(boot: Boot): BlameDocument {
  const units = boot.runs.flatMap((run) => {
    const gain = gains(run);
    const critical = criticalNames(run);
    return run.units.map((unit) => ({
      run: runName(run),
      name: unit.name,
      outcome: outcomeOf(unit),
      seconds: rounded(unit.end - unit.start),
      gain: rounded(gain.get(unit.name) ?? 0),
      critical: critical.has(unit.name),
      byKind: byKind(partsOf(unit)),
    }));
  });
  return { ...bootFacts(boot), units: units.toSorted((one, other) => other.seconds - one.seconds) };
}

/** What the end of the boot waited for: the phases, and within each run of the chain the units on its critical chain. */
export function criticalChainDocument(boot: Boot): CriticalChainDocument {
  const links = boot.phases.flatMap(({ kind, label, start, end, run }): CriticalChainDocument["links"] => {
    if (kind !== "chain" || run === undefined) return [{ phase: label, start: rounded(start), seconds: rounded(end - start), parts: [] }];
    const gain = gains(run);
    return criticalChain(run).map(({ unit, start: from, end: to }) => {
      const link = { phase: label, start: rounded(from), seconds: rounded(to - from) };
      if (unit === undefined) return { ...link, parts: [] };
      return { ...link, unit: unit.name, gain: rounded(gain.get(unit.name) ?? 0), parts: [...shares(partsOf(unit))] };
    });
  });
  return { ...bootFacts(boot), clocks: boot.clocks, links, seconds: timeDocument(boot).seconds };
}

export function criticalNames(run: RunBars): ReadonlySet<string> {
  return new Set(criticalChain(run).flatMap(({ unit }) => (unit === undefined ? [] : [unit.name])));
}

/** All the data of the pictures. */
export function timelineDocument(boot: Boot): TimelineDocument {
  return {
    ...bootFacts(boot),
    phases: phaseList(boot),
    runs: boot.runs.map((run) => {
      const critical = criticalNames(run);
      return {
        run: runName(run),
        outcome: run.outcome ?? "unfinished",
        start: run.start,
        end: run.end,
        units: run.units.map((unit) => ({
          name: unit.name,
          outcome: outcomeOf(unit),
          start: unit.start,
          end: unit.end,
          requires: [...unit.requires],
          releasedBy: releasedBy(unit, run)?.name ?? null,
          critical: critical.has(unit.name),
          inside: unit.inside.map(barDocument),
        })),
      };
    }),
  };
}

type BarDocument = TimelineDocument["runs"][number]["units"][number]["inside"][number];

function barDocument({ what, start, end, inside }: Bar): BarDocument {
  const kind = what.kind === "retry" ? "wait" : what.kind === "unit" ? "action" : what.kind;
  return { kind, label: barLabel(what), start, end, inside: inside.map(barDocument) };
}

export function barLabel(what: Bar["what"]): string {
  switch (what.kind) {
    case "plan":
      return "inspect what is there";
    case "action":
      return what.description;
    case "retry":
      return `wait for ${waitLabel(what.problem)}`;
    case "tool":
      return [toolName(what.argv), ...what.argv.slice(1)].join(" ");
    case "unit":
      return what.name;
  }
}
