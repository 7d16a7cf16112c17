import { z } from "../../base/schema.ts";
import { ProblemShape } from "../../base/problem-shape.ts";
import { ProblemError } from "../../base/problem.ts";
import type { RecordEvent } from "./record.ts";
import { RunReader, type RunView } from "./run-view.ts";

export interface ReadRecord {
  /** In the order in which they ran. */
  readonly runs: readonly RunView[];
  readonly events: readonly RecordEvent[];
  /** True when the last line is incomplete: its writer was killed, or is writing right now. */
  readonly torn: boolean;
}

/**
 * Reads a record file: one event per line, several runs one after the other.
 *
 * @param file its name, for messages
 * @throws ProblemError with file, line and column for any content that our writers cannot have produced
 */
export function parseRecord(text: string, file: string): ReadRecord {
  const lines = text.split("\n");
  // A complete line ends in a newline, so the text after the last newline is empty or a torn line.
  const torn = lines.pop() !== "";
  const readers: RunReader[] = [];
  const events = lines.map((line, index) => {
    const event = parseEvent(line, { file, line: index + 1 });
    if (event.event === "run-started") readers.push(new RunReader());
    const reader = readers.at(-1);
    if (reader === undefined)
      throw damaged({ file, line: index + 1 }, `an event "${event.event}" before any run`, `an event "run-started"`);
    reader.read(event);
    return event;
  });
  return { runs: readers.map(({ run }) => run), events, torn };
}

interface Line {
  readonly file: string;
  readonly line: number;
  readonly column?: number;
}

function parseEvent(line: string, place: Line): RecordEvent {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    const column = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined;
    throw damaged({ ...place, ...(column === undefined ? {} : { column: Number(column) + 1 }) }, shown(line), "one JSON object");
  }
  const result = Event.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw damaged(place, shown(line), `a record event (${issue === undefined ? "" : `${issue.path.join(".")}: ${issue.message}`})`);
}

function damaged(where: Line, found: string, expected: string): ProblemError {
  return new ProblemError({
    code: "record-damaged",
    what: "the record is damaged",
    where,
    found,
    expected,
    todo: `rename ${where.file}; the next run starts a new one`,
  });
}

function shown(line: string): string {
  return JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}…` : line);
}

const Texts = z.array(z.string());

const Ending = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("exited"), status: z.number() }),
  z.object({ kind: z.literal("signalled"), signal: z.string() }),
  z.object({ kind: z.literal("timed-out"), after: z.number() }),
  z.object({ kind: z.literal("cancelled") }),
  z.object({ kind: z.literal("not-found") }),
  z.object({ kind: z.literal("not-started"), reason: z.string() }),
]);

const UnitResult = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("unchanged"), activated: Texts }),
  z.object({ kind: z.literal("changed"), provisioned: Texts, activated: Texts }),
  z.object({ kind: z.literal("degraded"), problem: ProblemShape, partial: z.literal(true).exactOptional() }),
  z.object({ kind: z.literal("failed"), problem: ProblemShape }),
  z.object({ kind: z.literal("skipped"), because: Texts }),
]);

const SpanSubject = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("unit"), name: z.string() }),
  z.object({ kind: z.literal("plan") }),
  z.object({ kind: z.literal("action"), description: z.string(), effect: z.enum(["provision", "activate"]) }),
  z.object({ kind: z.literal("retry"), problem: ProblemShape }),
  z.object({ kind: z.literal("tool"), argv: Texts }),
]);

const SpanOutcome = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("done") }),
  z.object({ kind: z.literal("planned"), actions: Texts }),
  z.object({ kind: z.literal("conflict"), problem: ProblemShape }),
  z.object({ kind: z.literal("failed"), problem: ProblemShape }),
  z.object({ kind: z.literal("tool"), ending: Ending, stderr: z.string() }),
  z.object({ kind: z.literal("unit"), result: UnitResult }),
]);

const RunFacts = z
  .object({
    bootId: z.string(),
    version: z.string(),
    slot: z.string().optional(),
    pid: z.number(),
    stage: z.enum(["boot", "early", "late"]).optional(),
    monitor: z.literal(true).exactOptional(),
  })
  // JSON has no undefined: an absent key reads as one.
  .transform((facts) => ({ ...facts, slot: facts.slot, stage: facts.stage }));

const UnitFacts = z.object({
  name: z.string(),
  requires: Texts,
  after: Texts.exactOptional(),
  prerequisite: z.boolean(),
  onFailure: z.enum(["stop", "degrade"]),
});

const Counts = z.object({ changed: z.number(), unchanged: z.number(), degraded: z.number(), failed: z.number(), skipped: z.number() });

/** The shape in the record. The file it is read from has its own version (src/config/state/unfinished-run.ts). */
export const UnfinishedRunShape = z.object({
  bootId: z.string(),
  run: z.enum(["boot", "early", "late", "run"]),
  time: z.string(),
  at: z.array(z.object({ unit: z.string(), action: z.string() })),
});

const event = <const Name extends string, Shape extends z.ZodRawShape>(name: Name, shape: Shape) =>
  z.object({ event: z.literal(name), span: z.number(), at: z.number(), ...shape });

const Event = z.discriminatedUnion("event", [
  event("run-started", { time: z.string(), run: RunFacts, units: z.array(UnitFacts) }),
  event("started", { parent: z.number(), what: SpanSubject }),
  event("ended", { outcome: SpanOutcome }),
  event("interrupted", { before: UnfinishedRunShape }),
  event("note", { text: z.string() }),
  event("run-ended", {
    outcome: z.enum(["done", "degraded", "failed", "stopped"]),
    counts: Counts,
    peakMemory: z.number().exactOptional(),
  }),
]);
