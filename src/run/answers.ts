import { Problem } from "../base/problem-shape.ts";
import { ProblemError } from "../base/problem.ts";
import * as z from "../base/schema.ts";
import { withoutSecrets } from "../base/secret.ts";
import { type Command, CommandError } from "../system/command.ts";
import { Ending } from "../system/ending.ts";

/** What the machine answered a unit while it planned. Never a secret: of that, a digest tells whether two are the same. */
export const Answer = z.union([
  z.object({ text: z.string() }),
  z.object({ bytes: z.string() }),
  z.object({ value: z.unknown() }),
  z.object({ absent: z.literal(true) }),
  z.object({ secret: z.string(), length: z.number() }),
  z.object({ tooLong: z.number() }),
  z.object({ failed: z.object({ message: z.string(), code: z.string(), syscall: z.string(), path: z.exactOptional(z.string()) }) }),
  z.object({ problem: Problem, retryable: z.boolean() }),
  z.object({ ending: Ending, stderr: z.string(), retryable: z.boolean() }),
]);
export type Answer = z.infer<typeof Answer>;

/** Characters: a longer answer is not kept. */
export const LONGEST = 64 * 1024;

/** An answer that may be seen: of a file that everyone can read, of the kernel, of a tool. */
export function plainAnswer(value: unknown): Answer {
  if (value === undefined) return { absent: true };
  if (typeof value === "string") return value.length > LONGEST ? { tooLong: value.length } : { text: withoutSecrets(value) };
  if (value instanceof Uint8Array)
    return value.length > LONGEST ? { tooLong: value.length } : { bytes: Buffer.from(value).toString("base64") };
  const text = withoutSecrets(JSON.stringify(value));
  return text.length > LONGEST ? { tooLong: text.length } : { value: JSON.parse(text) as unknown };
}

export function failedAnswer(error: unknown): Answer | undefined {
  if (error instanceof CommandError) return { ending: error.ending, stderr: withoutSecrets(error.stderr), retryable: error.retryable };
  if (error instanceof ProblemError) return { problem: error.problem, retryable: error.retryable };
  if (!(error instanceof Error && "code" in error && "syscall" in error)) return undefined;
  const path = "path" in error && typeof error.path === "string" ? { path: error.path } : {};
  // oxlint-disable-next-line guestos/foreign-words -- kept for the same program, which shows it as it shows the error itself
  return { failed: { message: error.message, code: String(error.code), syscall: String(error.syscall), ...path } };
}

/** A question that a record cannot answer. */
export class NotRecordedError extends Error {
  /** For want of what: "a secret". */
  readonly missing: string;

  constructor(missing: string) {
    super(`not recorded: ${missing}`);
    this.missing = missing;
  }
}

/**
 * The answer as the machine gave it. @param command that was run, where one was
 *
 * @throws NotRecordedError for an answer that was not kept, and whatever the machine threw
 */
export function given(answer: Answer, command?: Command): unknown {
  if ("text" in answer) return answer.text;
  if ("bytes" in answer) return new Uint8Array(Buffer.from(answer.bytes, "base64"));
  if ("value" in answer) return answer.value;
  if ("absent" in answer) return undefined;
  if ("secret" in answer) throw new NotRecordedError("a secret");
  if ("tooLong" in answer) throw new NotRecordedError(`an answer of ${answer.tooLong} bytes`);
  if ("problem" in answer) throw new ProblemError(answer.problem, { retryable: answer.retryable });
  if ("failed" in answer) {
    const { message, ...facts } = answer.failed;
    throw Object.assign(new Error(message), facts);
  }
  if (command === undefined) throw new NotRecordedError("an ending without its tool");
  throw new CommandError(command, answer.ending, answer.stderr, { retryable: answer.retryable });
}
