import { setTimeout as timer } from "node:timers/promises";
import { type ByteSource, gathered } from "../files/byte-source.ts";
import { ProblemError } from "../../base/problem.ts";

/** How patient a transfer is. Times in milliseconds. */
export interface Patience {
  /** Until the answer begins, and between two pieces of it. */
  readonly idle: number;
  /** Failures in a row without a single new byte. */
  readonly attempts: number;
  /** Before the first retry; doubled with each further one, up to `longestPause`. */
  readonly firstPause: number;
  readonly longestPause: number;
  /** Connections in all: a server that gives a few bytes each time must not keep us for ever. */
  readonly connections: number;
}

const usualPatience: Patience = { idle: 30_000, attempts: 8, firstPause: 500, longestPause: 15_000, connections: 200 };

/**
 * A file behind an http or https address. An interrupted transfer goes on where it stopped (RFC 9110, 14.2), and only if
 * the file is still the same one: If-Range with the ETag or the time of the first answer, and the same length.
 *
 * @throws ProblemError (while it is read) for what no patience can cure, or when patience is at its end
 */
export function httpSource(address: string, signal: AbortSignal, patience: Patience = usualPatience): ByteSource {
  const transfer = new Transfer(address, signal, patience);
  return { name: transfer.name, size: () => transfer.size, chunks: gathered(transfer.chunks()) };
}

/** Failed in a way that another try may cure. */
class Interrupted extends Error {}

class Transfer {
  /** The address without what may be secret in it. */
  readonly name: string;
  size: number | undefined;
  readonly #url: URL;
  readonly #signal: AbortSignal;
  readonly #patience: Patience;
  #done = 0;
  #validator: { readonly header: "etag" | "last-modified"; readonly value: string } | undefined;
  #started = false;

  constructor(address: string, signal: AbortSignal, patience: Patience) {
    this.#url = new URL(address);
    this.name = `${this.#url.protocol}//${this.#url.host}${this.#url.pathname}`;
    this.#signal = signal;
    this.#patience = patience;
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
        failures = this.#done > before ? 1 : failures + 1;
        if (failures >= this.#patience.attempts || connection >= this.#patience.connections) {
          throw this.#problem(
            `${error.message} (connection ${connection}, ${this.#done} bytes received)`,
            "a transfer that goes on",
            error,
          );
        }
      }
      const pause = Math.min(this.#patience.longestPause, this.#patience.firstPause * 2 ** (failures - 1));
      await timer(pause, undefined, { signal: this.#signal });
    }
  }

  /** One request, from where the transfer stands. Ends when all bytes are there. */
  async *#connection(): AsyncIterable<Uint8Array> {
    const cut = new AbortController();
    const tooLate = setTimeout(() => cut.abort(), this.#patience.idle);
    try {
      const response = await fetch(this.#url, {
        headers: { "accept-encoding": "identity", ...this.#rangeHeaders() },
        signal: AbortSignal.any([this.#signal, cut.signal]),
      });
      let skip = this.#accept(response);
      if (response.body === null) throw new Interrupted("an answer without content");
      for await (const piece of response.body) {
        const chunk: unknown = piece;
        if (!(chunk instanceof Uint8Array)) continue;
        tooLate.refresh();
        const fresh = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - fresh.length;
        this.#done += fresh.length;
        if (fresh.length > 0) yield fresh;
        // While the reader was busy with it, nobody waited for the server.
        tooLate.refresh();
      }
    } catch (error) {
      if (error instanceof ProblemError || error instanceof Interrupted) throw error;
      throw new Interrupted(cut.signal.aborted ? `nothing came for ${this.#patience.idle / 1000} s` : words(error), { cause: error });
    } finally {
      clearTimeout(tooLate);
      // Also when the reader has seen enough: the connection is not kept.
      cut.abort();
    }
    if (this.size !== undefined && this.#done < this.size)
      throw new Interrupted(`the connection ended after ${this.#done} of ${this.size} bytes`);
    if (this.size !== undefined && this.#done > this.size)
      throw this.#problem(`more than the ${this.size} bytes that were announced`, "the file");
  }

  #rangeHeaders(): Record<string, string> {
    if (!this.#started) return {};
    return { range: `bytes=${this.#done}-`, ...(this.#validator === undefined ? {} : { "if-range": this.#validator.value }) };
  }

  /** @returns how many bytes at the beginning of the answer are there already. @throws when it is not the file, or not the same any more */
  #accept(response: Response): number {
    const { status, headers } = response;
    if (status >= 500 || [408, 425, 429].includes(status)) throw new Interrupted(`the server answered ${status} ${response.statusText}`);
    if (status !== 200 && status !== 206) throw this.#problem(`the server answered ${status} ${response.statusText}`, "200 OK");
    if (this.#url.protocol === "https:" && !response.url.startsWith("https:"))
      throw this.#problem("a redirection away from https", "https");
    const encoding = headers.get("content-encoding") ?? "identity";
    // fetch would undo it, and the bytes would no longer be those of the file that was hashed.
    if (encoding !== "identity") throw this.#problem(`the content encoding ${encoding}`, "the file as it is");
    const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get("content-range") ?? "");
    const length = headers.get("content-length");
    const total = status === 206 ? numberOf(range?.[3]) : numberOf(length ?? undefined);
    if (!this.#started) {
      if (status === 206) throw this.#problem("a part of the file, which nobody asked for", "200 OK");
      this.#started = true;
      this.size = total;
      this.#validator = validatorOf(headers);
      return 0;
    }
    if (total !== this.size)
      throw this.#changed(`${total ?? "an unknown number of"} bytes`, `${this.size ?? "an unknown number of"} bytes`);
    const now = this.#validator === undefined ? null : headers.get(this.#validator.header);
    if (now !== null && now !== this.#validator?.value) throw this.#changed(`the mark ${now}`, `the mark ${this.#validator?.value}`);
    if (status === 206) {
      if (Number(range?.[1]) === this.#done) return 0;
      throw this.#problem(`a part that begins at byte ${range?.[1] ?? "?"}`, `one that begins at byte ${this.#done}`);
    }
    // A whole answer to a range with If-Range: another file, or a server that knows no ranges. Its mark tells them apart.
    if (this.#validator !== undefined && now === null) throw this.#changed("no mark", `the mark ${this.#validator.value}`);
    return this.#done;
  }

  #changed(found: string, expected: string): ProblemError {
    return new ProblemError({
      what: `${this.name} changed while it was being received`,
      found,
      expected,
      todo: "install it again; what the slot already holds is not written twice",
    });
  }

  #problem(found: string, expected: string, cause?: unknown): ProblemError {
    return new ProblemError(
      { what: `cannot receive ${this.name}`, found, expected, todo: "look at the server, then try again" },
      { cause },
    );
  }
}

/** RFC 9110, 13.1.5: only a strong ETag may stand in If-Range. */
function validatorOf(headers: Headers): { readonly header: "etag" | "last-modified"; readonly value: string } | undefined {
  const etag = headers.get("etag");
  if (etag !== null && !etag.startsWith("W/")) return { header: "etag", value: etag };
  const modified = headers.get("last-modified");
  return modified === null ? undefined : { header: "last-modified", value: modified };
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** fetch says "fetch failed" and keeps the reason in the cause. */
function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? words(error.cause) : error.message || error.name;
}
