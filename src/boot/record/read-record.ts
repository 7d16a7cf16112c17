import { ProblemError } from "../../base/problem.ts";
import { RecordEvent } from "./record.ts";
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
    // oxlint-disable-next-line guestos/foreign-words -- of which a number is taken, and no words
    const column = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined;
    throw damaged({ ...place, ...(column === undefined ? {} : { column: Number(column) + 1 }) }, shown(line), "one JSON object");
  }
  const result = RecordEvent.safeParse(json);
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
