import { createConnection, type Socket } from "node:net";
import { deadlineIn } from "../../base/clock.ts";
import { foreignText, foreignWords } from "../../base/foreign-words.ts";
import { jsonIn } from "../../base/json.ts";
import { ProblemError } from "../../base/problem.ts";
import * as z from "../../base/schema.ts";

/** QEMU's monitor protocol (QEMU, docs/interop/qmp-spec): JSON objects, one a line, over a local socket that serves one client at a time. */
export interface Monitor {
  /** Runs a command. @returns what it answers. @throws ProblemError for a refusal, for no answer in time, and for one that is none */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Resolves with the next event's name; `undefined` once the connection has ended. */
  nextEvent(): Promise<string | undefined>;
}

const Message = z.union([
  z.object({ QMP: z.looseObject({}) }),
  z.object({ event: z.string() }),
  z.object({ return: z.unknown(), id: z.optional(z.unknown()) }),
  z.object({ error: z.object({ class: z.string(), desc: z.string() }), id: z.optional(z.unknown()) }),
]);
type Message = z.infer<typeof Message>;

/** Bytes. An answer to a command that is used here has less than one KiB. */
const LONGEST_LINE = 64 * 1024;

/**
 * Connects, and uses the monitor until `use` has ended.
 *
 * @param within milliseconds for everything; Infinity for no limit
 * @throws ProblemError when no monitor answers there in time
 */
export async function withMonitor<T>(
  path: string,
  { within, signal }: { readonly within: number; readonly signal?: AbortSignal },
  use: (monitor: Monitor) => Promise<T>,
): Promise<T> {
  const left = deadlineIn(within);
  const socket = createConnection(path);
  const stop = (): void => void socket.destroy();
  signal?.addEventListener("abort", stop, { once: true });
  const timer = Number.isFinite(within)
    ? setTimeout(() => socket.destroy(new Error(`no answer within ${within / 1000} s`)), left())
    : undefined;
  const failed = (found: string): ProblemError =>
    new ProblemError({
      code: "qemu-not-answering",
      what: "QEMU's monitor does not answer as it should",
      where: { file: path },
      found: foreignText(found.slice(0, 500)),
      todo: "see what its process does: ps -o pid,stat,wchan,args -C qemu-system-x86_64",
    });
  try {
    const messages = messagesOf(socket);
    const events: string[] = [];
    /** The next message that is no event; `undefined` at the end of the connection. */
    const next = async (): Promise<Message | undefined> => {
      for (;;) {
        const { value, done } = await messages.next();
        if (done === true) return undefined;
        if (!("event" in value)) return value;
        events.push(value.event);
      }
    };
    const execute: Monitor["execute"] = async (command, args) => {
      socket.write(`${JSON.stringify({ execute: command, ...(args === undefined ? {} : { arguments: args }) })}\n`);
      const answer = await next();
      if (answer !== undefined && "return" in answer) return answer.return;
      throw failed(
        answer === undefined
          ? `the connection ended at ${command}`
          : "error" in answer
            ? `${command}: ${answer.error.class}: ${answer.error.desc}`
            : `${command}: another greeting`,
      );
    };
    if (signal?.aborted === true) stop();
    const greeting = await next();
    if (greeting === undefined || !("QMP" in greeting)) throw failed(greeting === undefined ? "nothing" : "no greeting");
    await execute("qmp_capabilities");
    return await use({
      execute,
      async nextEvent() {
        const seen = events.shift();
        if (seen !== undefined) return seen;
        const { value, done } = await messages.next();
        return done === true ? undefined : "event" in value ? value.event : "";
      },
    });
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw failed(foreignWords(error));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    socket.destroy();
  }
}

async function* messagesOf(socket: Socket): AsyncGenerator<Message, undefined> {
  let rest = "";
  for await (const chunk of socket.setEncoding("utf8")) {
    rest += String(chunk);
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST_LINE) throw new Error(`a line of more than ${LONGEST_LINE} bytes`);
    for (const line of lines) {
      const { data } = Message.safeParse(jsonIn(line));
      if (data === undefined) throw new Error(`no message of QEMU's: ${line.slice(0, 100)}`);
      yield data;
    }
  }
  return undefined;
}
