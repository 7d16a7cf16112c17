import { type ByteSource, gathered } from "../files/byte-source.ts";
import { pause, systemClock } from "../../base/clock.ts";
import { foreignText } from "../../base/foreign-words.ts";
import type { RequestHeader } from "../files/header-file.ts";
import { changeOf, type HttpAnswer, type Marks, readAnswer, strongValidator } from "./http-answer.ts";
import { failureOf } from "./http-failure.ts";
import { httpGet, RedirectionError } from "./http-request.ts";
import { ProblemError } from "../../base/problem.ts";
import { type TransferLimits, TransferBudget, defaultTransferLimits } from "./transfer-budget.ts";

/**
 * A file at an http or https address. An interrupted transfer is continued where it stopped (RFC 9110, 14.2). It is continued only if the
 * server reports nothing that shows another file: its validator, the time of its last change, its length.
 *
 * Not by undici's RetryAgent: docs/dependencies.md lists what it lacks.
 *
 * @param secret header fields for that server
 * @throws ProblemError (while it is read) for a failure that no retry can cure, or when its limits are exceeded
 */
export function httpSource(
  url: URL,
  signal: AbortSignal,
  secret: readonly RequestHeader[] = [],
  limits: TransferLimits = defaultTransferLimits,
): ByteSource {
  const stopped = new AbortController();
  const transfer = new Transfer(url, AbortSignal.any([signal, stopped.signal]), secret, limits);
  const chunks = gathered(
    () => transfer.chunks(),
    signal,
    () => stopped.abort(),
  );
  return { name: transfer.name, size: () => transfer.size, chunks };
}

/** A failure that a retry may cure, but not sooner than after that many milliseconds. */
class Interrupted extends Error {
  readonly after: number;

  constructor(message: string, after = 0, cause?: unknown) {
    super(message, { cause });
    this.after = after;
  }
}

class Transfer {
  /** The address without its possible secrets. */
  readonly name: string;
  size: number | undefined;
  readonly #url: URL;
  readonly #signal: AbortSignal;
  readonly #secret: readonly RequestHeader[];
  readonly #limits: TransferLimits;
  readonly #budget: TransferBudget;
  #done = 0;
  /** Bytes that this connection has delivered for the second time. */
  #repeated = 0;
  /** The marks of the first answer. */
  #marks: Marks | undefined;
  #answered = false;

  constructor(url: URL, signal: AbortSignal, secret: readonly RequestHeader[], limits: TransferLimits) {
    this.#url = url;
    this.name = `${url.origin}${url.pathname}`;
    this.#signal = signal;
    this.#secret = secret;
    this.#limits = limits;
    this.#budget = new TransferBudget(limits);
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    let failures = 0;
    for (let connection = 1; ; connection += 1) {
      const before = this.#done;
      try {
        yield* this.#connection();
        return;
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!(error instanceof Interrupted)) throw error;
        // A server without ranges must not hold the transfer permanently by sending all of it and one byte more each time.
        failures = this.#done - before > this.#repeated ? 1 : failures + 1;
        const wait = this.#budget.pause(failures, error.after);
        if (wait === undefined) throw this.#atItsEnd(error, connection, failures);
        await pause(systemClock, wait, this.#signal);
        this.#signal.throwIfAborted();
      }
    }
  }

  /** One request, from the current position. Ends when all bytes are there. */
  async *#connection(): AsyncIterable<Uint8Array> {
    this.#repeated = 0;
    const cut = new AbortController();
    const waited = async <T>(work: Promise<T>): Promise<T> => this.#budget.waited(work, () => cut.abort());
    try {
      const signal = AbortSignal.any([this.#signal, cut.signal]);
      const response = await httpGet({ url: this.#url, fields: this.#fields(), secret: this.#secret, signal }, waited);
      this.#answered = true;
      const answer = readAnswer(response);
      let skip = this.#accept(answer);
      if (skip === "at-the-end") return;
      if (response.body === null) throw new Interrupted("an answer without content");
      const pieces: AsyncIterator<unknown> = response.body[Symbol.asyncIterator]();
      for (let next = await waited(pieces.next()); next.done !== true; next = await waited(pieces.next())) {
        const chunk = next.value;
        if (!(chunk instanceof Uint8Array)) continue;
        const fresh = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - fresh.length;
        this.#repeated += chunk.length - fresh.length;
        if (this.size !== undefined && this.#done + fresh.length > this.size)
          throw this.#problem(`more than the ${this.size} bytes that were announced`, "the file");
        this.#done += fresh.length;
        this.#budget.came(chunk.length);
        // While the reader is busy with the chunk, no time counts as waiting for the server.
        if (fresh.length > 0) yield fresh;
      }
      this.#requireEnd(answer, skip);
    } catch (error) {
      if (error instanceof ProblemError || error instanceof Interrupted) throw error;
      if (error instanceof RedirectionError) throw this.#problem(error.found, error.expected, error);
      if (cut.signal.aborted) throw new Interrupted(`nothing came for ${this.#limits.idle / 1000} s`, 0, error);
      const { words, remedy } = failureOf(error, this.#answered);
      if (remedy !== undefined) throw this.#problem(words, "an answer", error, remedy);
      throw new Interrupted(words, 0, error);
    } finally {
      // Also when the reader stops early: the connection is not kept.
      cut.abort();
    }
  }

  #fields(): Readonly<Record<string, string>> {
    const whole = { "accept-encoding": "identity" };
    if (this.#marks === undefined) return whole;
    const validator = strongValidator(this.#marks);
    return { ...whole, range: `bytes=${this.#done}-`, ...(validator === undefined ? {} : { "if-range": validator }) };
  }

  /**
   * @returns how many bytes at the beginning of the answer are already there
   * @throws when it is not the file, or not the same file any more
   */
  #accept(answer: HttpAnswer): number | "at-the-end" {
    if (answer.kind === "busy") throw new Interrupted(foreignText(answer.found), answer.after);
    if (answer.kind === "refused") throw this.#problem(answer.found, answer.expected, undefined, answer.todo);
    // An unknown length is no contradiction.
    if (answer.size !== undefined && this.size !== undefined && answer.size !== this.size)
      throw this.#changed(`${answer.size} bytes`, `${this.size} bytes`);
    if (answer.kind === "behind-the-end") {
      if (this.#marks === undefined) throw this.#problem("the server answered 416 to a request for the whole file", "200 OK");
      if (answer.size !== undefined && answer.size > this.#done) throw new Interrupted("the server answered 416, and yet has more");
      // RFC 9110, 15.5.17. The answer may omit where the end is. It cannot be before the bytes already delivered.
      const end = answer.size ?? this.#done;
      if (end < (this.size ?? this.#done)) throw this.#changed(`an end after ${end} bytes`, `${this.size ?? this.#done} bytes`);
      this.size = end;
      return "at-the-end";
    }
    if (this.#marks === undefined) {
      if (answer.kind === "part") throw this.#problem("a part of the file, which was not requested", "200 OK");
      this.#marks = answer.marks;
      this.size = answer.size;
      return 0;
    }
    const change = changeOf(this.#marks, answer.marks);
    if (change !== undefined) throw this.#changed(change.found, change.expected);
    this.size ??= answer.size;
    if (this.size !== undefined && this.size < this.#done) throw this.#changed(`${this.size} bytes`, `at least ${this.#done} bytes`);
    if (answer.kind === "part") {
      // A server may begin earlier than requested, for example at the start of a block.
      if (answer.first <= this.#done) return this.#done - answer.first;
      throw this.#problem(`a part that begins at byte ${answer.first}`, `one that begins at byte ${this.#done}`);
    }
    // The whole file in answer to If-Range: either another file, or a server without ranges. Its mark distinguishes the two.
    const { etag, modified } = answer.marks;
    const validator = strongValidator(this.#marks);
    if (validator !== undefined && etag === undefined && modified === undefined) throw this.#changed("no mark", `the mark ${validator}`);
    return this.#done;
  }

  /** Checks that the file is complete when an answer has ended without an error. */
  #requireEnd({ kind }: HttpAnswer, skip: number): void {
    if (this.size !== undefined && this.#done < this.size)
      throw new Interrupted(`the connection ended after ${this.#done} of ${this.size} bytes`);
    if (skip > 0) throw this.#changed(`${this.#done - skip} bytes`, `at least ${this.#done} bytes`);
    // A part of a file of unknown length may be followed by another. If it was the last, the next answer is 416.
    if (kind === "part" && this.size === undefined) throw new Interrupted("a part ended, of a file of unknown length");
  }

  /** @param failures the number of failures in a row */
  #atItsEnd({ message, after }: Interrupted, connection: number, failures: number): ProblemError {
    const { attempts, leastRate, longestPause, slack } = this.#limits;
    const found =
      failures >= attempts
        ? message
        : after > longestPause
          ? `${message}, for at least ${Math.ceil(after / 1000)} s`
          : `fewer than ${leastRate} bytes a second, for ${slack / 1000} s; at last: ${message}`;
    return this.#problem(`${found} (connection ${connection}, ${this.#done} bytes received)`, "a transfer that continues");
  }

  #changed(found: string, expected: string): ProblemError {
    return new ProblemError({
      code: "download-changed",
      what: `${this.name} changed while it was being received`,
      found: foreignText(found),
      expected: foreignText(expected),
      todo: "install it again; content that the slot already holds is not written again",
    });
  }

  #problem(found: string, expected: string, cause?: unknown, todo = "inspect the server, then try again"): ProblemError {
    return new ProblemError(
      { code: "download-failed", what: `cannot receive ${this.name}`, found: foreignText(found), expected, todo },
      { cause },
    );
  }
}
