import { RecordedProblem } from "../../base/problem-shape.ts";
import * as z from "../../base/schema.ts";
import { UnfinishedRun } from "../../config/state/unfinished-run.ts";
import { Ending } from "../../system/ending.ts";

const Texts = z.array(z.string());

/** The properties of a unit that a reader of the record needs to interpret its ending. */
const UnitFacts = z.object({
  name: z.string(),
  requires: Texts,
  /** Order only; absent where there are none. Some may not be part of the run. */
  after: z.exactOptional(Texts),
  prerequisite: z.boolean(),
  onFailure: z.enum(["stop", "degrade"]),
});
export type UnitFacts = z.infer<typeof UnitFacts>;

/** The halves of a boot: `early` ends before the rest of the system starts, `late` waits for the system bus. */
export type Stage = Exclude<RunFacts["stage"], "boot" | undefined>;

/** Which program ran, in which boot, and why. */
const RunFacts = z.object({
  bootId: z.string(),
  version: z.string(),
  slot: z.optional(z.string()),
  pid: z.number(),
  /**
   * `boot`: the boot itself. `early` or `late`: a half of it, started by an operator, or by a release in which each
   * half was a process of its own. Absent: every other run, started by an operator.
   */
  stage: z.optional(z.enum(["boot", "early", "late"])),
  /** The monitor started the run on its own; no operator asked for it. */
  monitor: z.exactOptional(z.literal(true)),
});
export type RunFacts = z.infer<typeof RunFacts>;

const SpanSubject = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("unit"), name: z.string() }),
  z.object({ kind: z.literal("plan") }),
  z.object({ kind: z.literal("action"), description: z.string(), effect: z.enum(["provision", "activate"]) }),
  /** Waiting until a retry is worthwhile, and the reason. */
  z.object({ kind: z.literal("retry"), problem: RecordedProblem }),
  z.object({ kind: z.literal("tool"), argv: Texts }),
]);
export type SpanSubject = z.infer<typeof SpanSubject>;

/** How a unit ended: exactly one of these. */
const UnitResult = z.discriminatedUnion("kind", [
  /** No action with an effect that survives a reboot was needed. */
  z.object({ kind: z.literal("unchanged"), activated: Texts }),
  z.object({ kind: z.literal("changed"), provisioned: Texts, activated: Texts }),
  /** It failed, and the boot goes on without it. With `partial`, it did all its work but for this problem. */
  z.object({ kind: z.literal("degraded"), problem: RecordedProblem, partial: z.exactOptional(z.literal(true)) }),
  z.object({ kind: z.literal("failed"), problem: RecordedProblem }),
  /** It was not started: a requirement did not succeed, or the run was stopped. */
  z.object({ kind: z.literal("skipped"), because: Texts }),
]);
export type UnitResult = z.infer<typeof UnitResult>;
export type UnitOutcome = UnitResult["kind"];

const SpanOutcome = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("done") }),
  z.object({ kind: z.literal("planned"), actions: Texts }),
  z.object({ kind: z.literal("conflict"), problem: RecordedProblem }),
  z.object({ kind: z.literal("failed"), problem: RecordedProblem }),
  z.object({ kind: z.literal("tool"), ending: Ending, stderr: z.string() }),
  z.object({ kind: z.literal("unit"), result: UnitResult }),
]);
export type SpanOutcome = z.infer<typeof SpanOutcome>;

const Count = z.int().check(z.minimum(0));
export const Counts = z.object({ changed: Count, unchanged: Count, degraded: Count, failed: Count, skipped: Count });
export type Counts = z.infer<typeof Counts>;

/** `done`: everything succeeded. `degraded`: usable, with something missing. `stopped`: told to end before it had finished. */
const RunOutcome = z.enum(["done", "degraded", "failed", "stopped"]);
export type RunOutcome = z.infer<typeof RunOutcome>;

const common = { span: z.number(), at: z.number() };

/**
 * The events of a run, written as they happen: a tree of spans. A run holds units; a unit holds plans, actions and
 * waits for a retry; each of those holds tool runs. Times are seconds of CLOCK_MONOTONIC, as in systemd's own
 * timestamps, so that the two can be compared.
 */
export const RecordEvent = z.discriminatedUnion("event", [
  z.object({
    ...common,
    event: z.literal("run-started"),
    /** Wall-clock time, ISO 8601. */
    time: z.string(),
    run: RunFacts,
    /** The units of the run, in chain order; a `prerequisite` is included only because another unit requires it. */
    units: z.array(UnitFacts),
  }),
  z.object({ ...common, event: z.literal("started"), parent: z.number(), what: SpanSubject }),
  z.object({ ...common, event: z.literal("ended"), outcome: SpanOutcome }),
  /** An earlier run was cut off, by a power loss or a kill. At most once per run, as soon as the mark can be read. */
  z.object({ ...common, event: z.literal("interrupted"), before: UnfinishedRun }),
  z.object({ ...common, event: z.literal("note"), text: z.string() }),
  z.object({
    ...common,
    event: z.literal("run-ended"),
    outcome: RunOutcome,
    counts: Counts,
    /** The peak memory of the program itself, without its tools, in bytes. */
    peakMemory: z.exactOptional(z.number()),
  }),
]);
export type RecordEvent = z.infer<typeof RecordEvent>;

export type Sink = (event: RecordEvent) => void;
