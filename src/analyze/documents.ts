import { Problem } from "../base/problem-shape.ts";
import * as z from "../base/schema.ts";

/** The documents that `--json` prints, a schema for each command. Times are seconds; moments count from the kernel's start. */

const Seconds = z.number();
const Perhaps = z.nullable(Seconds);
const Outcome = z.enum(["changed", "unchanged", "degraded", "failed", "skipped", "running"]);
const boot = {
  bootId: z.string(),
  /** Wall-clock time, ISO 8601. */
  time: z.string(),
  slot: z.nullable(z.string()),
  version: z.string(),
};

export const Share = z.object({ kind: z.enum(["inspect", "tool", "own", "wait", "runner"]), label: z.string(), seconds: Seconds });
export type Share = z.infer<typeof Share>;

const Phase = z.object({
  kind: z.enum(["firmware", "loader", "kernel", "initrd", "system", "lock", "program", "chain"]),
  label: z.string(),
  start: Seconds,
  seconds: Seconds,
});

export const TimeDocument = z.object({
  ...boot,
  clocks: z.enum(["whole boot", "not finished", "record only"]),
  phases: z.array(Phase),
  seconds: Seconds,
});
export type TimeDocument = z.infer<typeof TimeDocument>;

export const BlameDocument = z.object({
  ...boot,
  units: z.array(
    z.object({
      run: z.string(),
      name: z.string(),
      outcome: Outcome,
      seconds: Seconds,
      /** What the run would have gained if the unit had taken no time. */
      gain: Seconds,
      critical: z.boolean(),
      byKind: z.object({ inspect: Seconds, tool: Seconds, own: Seconds, wait: Seconds, runner: Seconds }),
    }),
  ),
});
export type BlameDocument = z.infer<typeof BlameDocument>;

export const CriticalChainDocument = z.object({
  ...boot,
  clocks: TimeDocument.shape.clocks,
  /** In order, without gaps: their seconds add up to the whole. */
  links: z.array(
    z.object({
      phase: z.string(),
      /** Absent for a piece without a unit. */
      unit: z.exactOptional(z.string()),
      start: Seconds,
      seconds: Seconds,
      gain: z.exactOptional(Seconds),
      parts: z.array(Share),
    }),
  ),
  seconds: Seconds,
});
export type CriticalChainDocument = z.infer<typeof CriticalChainDocument>;

const Bar = z.object({
  kind: z.enum(["plan", "action", "wait", "tool"]),
  label: z.string(),
  start: Seconds,
  end: Seconds,
  get inside(): z.ZodMiniArray<typeof Bar> {
    return z.array(Bar);
  },
});

/** analyze plot, analyze report */
export const TimelineDocument = z.object({
  ...boot,
  phases: z.array(Phase),
  runs: z.array(
    z.object({
      run: z.string(),
      outcome: z.enum(["done", "degraded", "failed", "stopped", "unfinished"]),
      start: Seconds,
      end: Seconds,
      units: z.array(
        z.object({
          name: z.string(),
          outcome: Outcome,
          start: Seconds,
          end: Seconds,
          requires: z.array(z.string()),
          releasedBy: z.nullable(z.string()),
          critical: z.boolean(),
          inside: z.array(Bar),
        }),
      ),
    }),
  ),
});
export type TimelineDocument = z.infer<typeof TimelineDocument>;

export const DiffDocument = z.object({
  from: z.object(boot),
  to: z.object(boot),
  phases: z.array(z.object({ label: z.string(), from: Perhaps, to: Perhaps })),
  units: z.array(
    z.object({
      run: z.string(),
      name: z.string(),
      from: z.nullable(z.object({ outcome: Outcome, seconds: Seconds })),
      to: z.nullable(z.object({ outcome: Outcome, seconds: Seconds })),
      /** The changed parts of the unit, the largest change first; unchanged parts are left out. */
      parts: z.array(z.object({ kind: Share.shape.kind, label: z.string(), from: Seconds, to: Seconds })),
    }),
  ),
});
export type DiffDocument = z.infer<typeof DiffDocument>;

/** why: one story for each run that the unit was part of. */
export const WhyDocument = z.object({
  ...boot,
  unit: z.string(),
  stories: z.array(
    z.object({
      run: z.string(),
      time: z.string(),
      /** True where it was not asked for, and another unit requires it. */
      prerequisite: z.boolean(),
      outcome: z.union([Outcome, z.literal("not reached")]),
      start: Perhaps,
      seconds: Perhaps,
      /** The units that came before it, the last one to end first. */
      waitedFor: z.array(z.object({ name: z.string(), how: z.enum(["requires", "after"]), outcome: Outcome, end: Seconds })),
      /** The units that were skipped because they require it. */
      skipped: z.array(z.string()),
      problem: z.nullable(Problem),
      /** What it did and found, in order; `depth` 1 is inside the line above. */
      evidence: z.array(z.object({ at: Seconds, seconds: Seconds, depth: z.number(), text: z.string(), words: z.array(z.string()) })),
      notes: z.array(z.string()),
      /** What the unit did when an earlier run was cut off. */
      interrupted: z.nullable(
        z.object({ bootId: z.string(), run: z.enum(["boot", "early", "late", "run"]), time: z.string(), action: z.string() }),
      ),
    }),
  ),
});
export type WhyDocument = z.infer<typeof WhyDocument>;
