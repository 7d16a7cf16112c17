import type { RecordEvent, RunFacts } from "../boot/record/record.ts";
import type { BootClocks } from "../system/systemd/boot-clocks.ts";
import { utc } from "../base/clock.ts";
import { type Phase, phasesOf } from "./phases.ts";
import { bootRuns, type RunBars, timelineOf } from "./timeline.ts";

/** A boot, ready for analysis. */
export interface Boot {
  readonly facts: RunFacts;
  /** Wall-clock time of the first run's start, ISO 8601. */
  readonly time: string;
  /** Of the boot itself, in order. */
  readonly runs: readonly RunBars[];
  /** All runs since the machine started, including those by hand. */
  readonly allRuns: readonly RunBars[];
  readonly phases: readonly Phase[];
  /**
   * Whether systemd reported the boot's beginning and end. If so, the phases are the whole boot; otherwise they are only what the record
   * has.
   */
  readonly clocks: "whole boot" | "not finished" | "record only";
}

/** @param events of at least one run */
export function bootOf(events: readonly RecordEvent[], clocks: BootClocks | undefined): Boot {
  const allRuns = timelineOf(events);
  const runs = bootRuns(allRuns);
  const [first] = runs;
  if (first === undefined) throw new TypeError("a record without a run is no boot");
  return {
    facts: first.facts,
    time: first.time,
    runs,
    allRuns,
    phases: phasesOf(runs, clocks, allRuns),
    clocks: clocks === undefined ? "record only" : clocks.finished === undefined ? "not finished" : "whole boot",
  };
}

export function bootFacts({ facts, time }: Boot): { bootId: string; time: string; slot: string | null; version: string } {
  return { bootId: facts.bootId, time, slot: facts.slot ?? null, version: facts.version };
}

/** `boot 60b7d517 of 2026-11-20 14:40:24 UTC, slot A, version 0.1.0` */
export function bootLine({ bootId, time, slot, version }: ReturnType<typeof bootFacts>): string {
  return `boot ${bootId.slice(0, 8)} of ${utc(time)}, slot ${slot ?? "unknown"}, version ${version}`;
}

export function bootTitle(boot: Boot): string {
  return bootLine(bootFacts(boot));
}
