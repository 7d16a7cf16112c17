import { systemClock } from "../base/clock.ts";
import { consoleSink } from "../boot/show/console.ts";
import { logSink } from "../boot/show/log-lines.ts";
import type { Sink } from "../boot/record/record.ts";
import { foreignWords } from "../base/foreign-words.ts";
import { journalEntry, passedDescriptor } from "../system/systemd/journal.ts";
import { NonBlockingWriter } from "../system/files/non-blocking-writer.ts";
import { openSystemConsole } from "../system/files/system-console.ts";
import { journalFields, jsonLog, type Log, prefixedText } from "./log.ts";
import { paintFor } from "./paint.ts";
import type { Terminal } from "./terminal.ts";

/** The output of a run while it goes on. */
export interface RunOutput {
  readonly sink: Sink;
  /** Waits until everything has been passed on, with the result of the whole; at most a few seconds. */
  readonly close: () => Promise<void>;
}

/** The name under which the units have systemd open the journal's socket (etc/common/systemd/system/guestos-boot.service). */
const JOURNAL = "journal";
/** The variable in which the units name the console on which a boot is followed. */
const CONSOLE = "GUESTOS_CONSOLE";
/** Milliseconds for output that is still held back at the end. */
const LAST_MOMENT = 1_000;

/**
 * Sends each line to one destination per kind. By default that is the terminal. In a service, it is the journal and, if the unit names one,
 * the machine's console. With --json, it is an object per line on standard error, because the document is on standard output.
 */
export function runOutput(terminal: Terminal, json: boolean): RunOutput {
  if (json) return logged(jsonLog(terminal.complain));
  if (process.env[CONSOLE] !== undefined || passedDescriptor(JOURNAL) !== undefined) return serviceOutput(terminal);
  return { sink: consoleSink({ print: terminal.print, paint: paintFor(terminal), now: systemClock.now }), close: async () => undefined };
}

function serviceOutput(terminal: Terminal): RunOutput {
  const path = process.env[CONSOLE];
  const systemConsole = path === undefined ? undefined : openSystemConsole(path, "guestos-boot", systemClock.now);
  const toConsole = systemConsole === undefined ? undefined : consoleSink({ print: systemConsole.print, now: systemClock.now });
  const toJournal = logged(serviceLog(terminal));
  return {
    sink(event) {
      toJournal.sink(event);
      toConsole?.(event);
    },
    async close() {
      await Promise.all([toJournal.close(), systemConsole?.flush(LAST_MOMENT)]);
    },
  };
}

/**
 * The log of a service: journal entries with fields where systemd has opened the journal's socket for us. With an older systemd: lines with
 * a level prefix on standard output, which systemd has connected to the journal.
 *
 * Both block on a hanging journal, like every other writer, until its watchdog restarts it (WatchdogSec=3min of systemd-journald.service):
 * systemd does not make a socket non-blocking that it opens for OpenFile=.
 */
function serviceLog(terminal: Terminal): Log {
  const socket = passedDescriptor(JOURNAL);
  if (socket === undefined) return { write: (line) => terminal.print(prefixedText(line)), close: async () => undefined };
  const writer = new NonBlockingWriter(socket, (error) =>
    terminal.complain(`the journal does not accept log entries: ${foreignWords(error)}`),
  );
  return {
    write: (line) => writer.write(journalEntry(journalFields(line))),
    async close() {
      await writer.flush(LAST_MOMENT);
      if (writer.lost > 0) terminal.complain(`the journal has lost ${writer.lost} log entries; guestos-boot status shows everything`);
    },
  };
}

function logged(log: Log): RunOutput {
  return { sink: logSink(log.write), close: log.close };
}
