import { bootView } from "../boot/record/boot-view.ts";
import type { ReadRecord } from "../boot/record/read-record.ts";
import type { RecordEvent } from "../boot/record/record.ts";
import type { RunView } from "../boot/record/run-view.ts";
import { criticalPath } from "./critical-path.ts";
import { families, oneHot, type Sample, sample } from "./families.ts";
import { unitWork } from "./unit-work.ts";

const OUTCOMES = ["done", "degraded", "failed", "unfinished"];
const RESULTS = ["unchanged", "changed", "degraded", "failed", "skipped", "unfinished"];

/** The samples of a boot, its runs and its units, from the boot's record. @returns nothing for an empty record */
export function bootSamples(record: ReadRecord): readonly Sample[] {
  const [first] = record.runs;
  if (first === undefined) return [];
  const view = bootView(record.runs);
  const { bootId, slot, version } = first.facts;
  return [
    sample(families.bootInfo, 1, { boot_id: bootId, slot, version }),
    ...oneHot(families.bootOutcome, "outcome", OUTCOMES, view.outcome),
    sample(families.bootStart, Date.parse(first.time) / 1000),
    sample(families.bootDuration, bootSeconds(record.runs)),
    ...lastOfEach(record).flatMap(([name, run, peak]) => runSamples(name, run, peak)),
    ...view.units.flatMap(({ name, result, startedAt, endedAt, notes }) => [
      ...oneHot(families.unitResult, "result", RESULTS, result?.kind ?? "unfinished", { unit: name }),
      ...(result !== undefined && "problem" in result
        ? [sample(families.unitFailureInfo, 1, { unit: name, code: result.problem.code })]
        : []),
      ...(startedAt === undefined || endedAt === undefined ? [] : [sample(families.unitDuration, endedAt - startedAt, { unit: name })]),
      sample(families.unitWarnings, notes.length, { unit: name }),
    ]),
    ...taintedVar(view.units),
    ...[...unitWork(record.events)].flatMap(([unit, { toolSeconds, tools, retries }]) => [
      sample(families.unitToolSeconds, toolSeconds, { unit }),
      sample(families.unitToolRuns, tools, { unit }),
      sample(families.unitRetries, retries, { unit }),
    ]),
  ];
}

/** The unit that mounts /var. */
const VAR_UNIT = "var";

/** Of a boot that has come so far. */
function taintedVar(units: ReturnType<typeof bootView>["units"]): readonly Sample[] {
  const kind = units.find(({ name }) => name === VAR_UNIT)?.result?.kind;
  return kind === undefined || kind === "skipped" ? [] : [sample(families.taintedVar, kind === "failed")];
}

/** The seconds of the boot itself, without an operator's runs; of all runs, where the record has no boot. */
function bootSeconds(runs: readonly RunView[]): number {
  const stages = runs.filter(({ facts }) => facts.stage !== undefined);
  return bootView(stages.length === 0 ? runs : stages).seconds;
}

function runSamples(name: string, run: RunView, peakMemory: number | undefined): readonly Sample[] {
  const path = criticalPath(run.units);
  return [
    ...(run.end === undefined
      ? []
      : [
          sample(families.runDuration, run.end.at - run.startedAt, { run: name }),
          sample(families.runEndUptime, run.end.at, { run: name }),
        ]),
    ...(peakMemory === undefined ? [] : [sample(families.runPeakMemory, peakMemory, { run: name })]),
    sample(
      families.criticalPath,
      path.reduce((sum, { seconds }) => sum + seconds, 0),
      { run: name },
    ),
    ...path.map(({ name: unit, seconds }) => sample(families.criticalPathUnit, seconds, { run: name, unit })),
  ];
}

/** The last run of each name, with its peak memory: an operator may repeat a run. */
function lastOfEach({ runs, events }: ReadRecord): readonly (readonly [string, RunView, number | undefined])[] {
  const peaks = peaksOf(events);
  const last = new Map(runs.map((run, index) => [run.facts.stage ?? "manual", [run.facts.stage ?? "manual", run, peaks[index]] as const]));
  return [...last.values()];
}

function peaksOf(events: readonly RecordEvent[]): readonly (number | undefined)[] {
  const peaks: (number | undefined)[] = [];
  for (const event of events) {
    if (event.event === "run-started") peaks.push(undefined);
    if (event.event === "run-ended") peaks[peaks.length - 1] = event.peakMemory;
  }
  return peaks;
}
