import type { RecordEvent, RunFacts } from "../boot/record/record.ts";
import type { BootClocks } from "../system/systemd/boot-clocks.ts";
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

/** @returns `undefined` for a record without a run */
export function bootOf(events: readonly RecordEvent[], clocks: BootClocks | undefined): Boot | undefined {
  const allRuns = timelineOf(events);
  const runs = bootRuns(allRuns);
  const [first] = runs;
  if (first === undefined) return undefined;
  return {
    facts: first.facts,
    time: first.time,
    runs,
    allRuns,
    phases: phasesOf(runs, clocks, allRuns),
    clocks: clocks === undefined ? "record only" : clocks.finished === undefined ? "not finished" : "whole boot",
  };
}

/** `boot 60b7d517 of 2026-11-20 14:40:24 UTC, slot A, version 0.1.0` */
export function bootTitle({ facts, time }: Boot): string {
  return `boot ${facts.bootId.slice(0, 8)} of ${utc(time)}, slot ${facts.slot ?? "unknown"}, version ${facts.version}`;
}

/** `2026-10-05 10:15:00 UTC`, whatever the reader's time zone. */
export function utc(time: string): string {
  return `${time.slice(0, 19).replace("T", " ")} UTC`;
}
