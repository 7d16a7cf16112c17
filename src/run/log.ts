import type { DestinationStream, Logger } from "pino";
import type { LogLine } from "../boot/show/log-lines.ts";
import { type JournalFields, prefixedLines, PRIORITIES } from "../system/systemd/journal.ts";

/** The destination of log lines. */
export interface Log {
  readonly write: (line: LogLine) => void;
  /** Waits until every line has been passed on. Do not write afterwards. */
  readonly close: () => Promise<void>;
}

/**
 * A log of JSON objects, one per line, by pino: `{"level":"info","time":"…","unit":"var",…,"msg":"…"}`.
 *
 * pino is loaded with the first line and not before, because loading costs 15 to 25 ms of every start. Lines that arrive until then are
 * kept, in order.
 *
 * @param emit called with each finished line, without its line end
 */
export function jsonLog(emit: (line: string) => void): Log {
  const waiting: LogLine[] = [];
  let logger: Logger<"notice"> | undefined;
  let loading: Promise<void> | undefined;
  const load = async (): Promise<void> => {
    logger = await jsonLogger({ write: (text) => emit(text.trimEnd()) });
    for (const line of waiting.splice(0)) log(logger, line);
  };
  return {
    write(line) {
      if (logger !== undefined) return log(logger, line);
      waiting.push(line);
      loading ??= load();
    },
    close: async () => loading,
  };
}

function log(logger: Logger<"notice">, { level, message, fields }: LogLine): void {
  logger[level](fields, message);
}

async function jsonLogger(destination: DestinationStream): Promise<Logger<"notice">> {
  const { pino } = await import("pino");
  return pino<"notice">(
    {
      // The journal adds process and host itself; other callers know them.
      base: null,
      // Between pino's own info (30) and warn (40): the syslog level for normal but significant conditions.
      customLevels: { notice: 35 },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
    destination,
  );
}

/**
 * A line as a journal entry: the message, its priority, and every field as GUESTOS_…, for `journalctl GUESTOS_UNIT=var`. The journal adds
 * the time itself.
 */
export function journalFields({ level, message, fields }: LogLine): JournalFields {
  return {
    MESSAGE: message,
    PRIORITY: String(PRIORITIES[level]),
    SYSLOG_IDENTIFIER: "guestos-boot",
    ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [`GUESTOS_${name.toUpperCase()}`, text(value)])),
  };
}

/** A line for a stream into the journal, which takes the level from the prefix; the fields are lost. */
export function prefixedText({ level, message }: LogLine): string {
  return prefixedLines(level, message);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
