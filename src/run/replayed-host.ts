import * as z from "../base/schema.ts";
import type { Command } from "../system/command.ts";
import type { Host } from "../system/host.ts";
import { type Answer, given, NotRecordedError } from "./answers.ts";
import { commandKey } from "./recorder.ts";

/** Questions that one plan may ask beyond those that were recorded. */
const MOST_REPEATED = 10_000;

// What a host answers to each question. A record comes from another machine.
const Ran = z.object({ status: z.number(), stdout: z.string(), stderr: z.string() });
const Text = z.optional(z.string());
const Bytes = z.optional(z.instanceof(Uint8Array));
const Names = z.optional(z.array(z.string()));
const Facts = z.optional(
  z.object({
    kind: z.enum(["file", "folder", "link", "block-device", "other"]),
    ...{ mode: z.number(), uid: z.number(), gid: z.number(), size: z.number() },
  }),
);
const Room = z.object({ total: z.number(), free: z.number() });

/** An answer that was recorded, and to what. */
export interface RecordedAnswer {
  readonly call: string;
  readonly args: readonly unknown[];
  readonly answer: Answer;
}

export interface ReplayedHost {
  readonly host: Host;
  /** What was asked, and is not in the record. */
  readonly unknown: readonly string[];
}

/**
 * A host that answers one plan of a unit as a machine did, and reaches no machine. The same question gets the same answers in the same order;
 * the last one again and again.
 */
export function replayedHost(recorded: readonly RecordedAnswer[], signal: AbortSignal): ReplayedHost {
  const answers = new Map<string, Answer[]>();
  for (const { call, args, answer } of recorded) {
    const key = keyOf(call, args);
    answers.set(key, [...(answers.get(key) ?? []), answer]);
  }
  const unknown: string[] = [];
  // The last answer comes again and again: a plan that waits for another one must end all the same.
  let left = MOST_REPEATED + recorded.length;
  const missing = (what: string): NotRecordedError => {
    unknown.push(what);
    return new NotRecordedError(what);
  };
  const answered = (call: string, args: readonly unknown[], command?: Command): unknown => {
    left -= 1;
    if (left < 0) throw missing("another answer");
    const own = answers.get(keyOf(call, args));
    const answer = own !== undefined && own.length > 1 ? own.shift() : own?.[0];
    if (answer === undefined)
      throw missing(`${call} ${args.map((arg) => (typeof arg === "string" ? arg : JSON.stringify(arg))).join(" ")}`);
    try {
      return given(answer, command);
    } catch (error) {
      throw error instanceof NotRecordedError ? missing(error.missing) : error;
    }
  };
  const as = async <T extends z.ZodMiniType>(shape: T, call: string, args: readonly unknown[], command?: Command): Promise<z.output<T>> => {
    const read = shape.safeParse(answered(call, args, command));
    if (!read.success) throw missing(`an answer to ${call} that can be read`);
    return read.data;
  };
  const acts = async (): Promise<never> => {
    throw missing("a change of the machine");
  };
  return {
    unknown,
    host: {
      signal,
      beyond: (what) => {
        throw missing(what);
      },
      concluded: async ({ name, args, shape }) => as(shape, name, args),
      now: () => Number(answered("now", [])),
      run: async (command) => as(Ran, "run", [commandKey(command)], command),
      readText: async (path) => as(Text, "readText", [path]),
      readBytes: async (path) => as(Bytes, "readBytes", [path]),
      readAt: async (path, offset, length) => as(Bytes, "readAt", [path, offset, length]),
      list: async (path) => as(Names, "list", [path]),
      readLink: async (path) => as(Text, "readLink", [path]),
      stat: async (path) => as(Facts, "stat", [path]),
      space: async (path) => as(Room, "space", [path]),
      ...{ writeFile: acts, writeStream: acts, writeInPlace: acts, makeFolder: acts, remove: acts, rename: acts, setAttributes: acts },
    },
  };
}

function keyOf(call: string, args: readonly unknown[]): string {
  return JSON.stringify([call, ...args]);
}
