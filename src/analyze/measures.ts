import { type Boot, utc } from "./boot.ts";
import { criticalChain, gains } from "./causes.ts";
import type { BlameDocument, CriticalChainDocument, TimeDocument, TimelineDocument } from "./documents.ts";
import { byKind, partsOf, shares, toolName, waitLabel } from "./parts.ts";
import { type Bar, releasedBy, type RunBars, type UnitBar } from "./timeline.ts";

/** Microseconds, the resolution of the clocks. */
export function rounded(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}

export function runName({ facts }: RunBars): string {
  return facts.stage ?? "run";
}

export function outcomeOf({ result }: UnitBar): NonNullable<UnitBar["result"]>["kind"] | "running" {
  return result?.kind ?? "running";
}

export function bootFacts({ facts, time }: Boot): { bootId: string; time: string; slot: string | null; version: string } {
  return { bootId: facts.bootId, time, slot: facts.slot ?? null, version: facts.version };
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
    return run.units.map((unit) => {
      const kinds = byKind(partsOf(unit));
      return {
        run: runName(run),
        name: unit.name,
        outcome: outcomeOf(unit),
        seconds: rounded(unit.end - unit.start),
        gain: rounded(gain.get(unit.name) ?? 0),
        critical: critical.has(unit.name),
        byKind: {
          inspect: rounded(kinds.inspect),
          tool: rounded(kinds.tool),
          own: rounded(kinds.own),
          wait: rounded(kinds.wait),
          runner: rounded(kinds.runner),
        },
      };
    });
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
      const parts = shares(partsOf(unit)).map((share) => ({ ...share, seconds: rounded(share.seconds) }));
      return { ...link, unit: unit.name, gain: rounded(gain.get(unit.name) ?? 0), parts };
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

/** `boot 60b7d517 of 2026-11-20 14:40:24 UTC, slot A, version 0.1.0` */
export function bootLine({ bootId, time, slot, version }: { bootId: string; time: string; slot: string | null; version: string }): string {
  return `boot ${bootId.slice(0, 8)} of ${utc(time)}, slot ${slot ?? "unknown"}, version ${version}`;
}
