import { fstatSync, read } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { pause, systemClock } from "../../base/clock.ts";
import { foreignWords } from "../../base/foreign-words.ts";
import { ProblemError, unreadableFile } from "../../base/problem.ts";

/** A stream of bytes that is read once, in order. */
export interface ByteSource {
  /** For messages: a path, "standard input", an address. */
  readonly name: string;
  /** The total number of bytes, as soon as it is known. */
  readonly size: () => number | undefined;
  /** Each chunk is valid until the next one is requested: the memory is reused, because an image has gigabytes. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Bytes of a chunk. Large, because each chunk passes between threads several times, and that costs more than filling it. */
const CHUNK = 1024 * 1024;

/** The bytes of a file, device or pipe. @throws ProblemError when it cannot be read, or is a folder */
export async function fileSource(path: string, signal: AbortSignal): Promise<ByteSource> {
  const facts = await stat(path).catch((error: unknown) => {
    throw unreadable(path, foreignWords(error), error);
  });
  if (facts.isDirectory()) throw unreadable(path, "a folder");
  // Pipes and devices have no size of that kind.
  const size = facts.isFile() ? facts.size : undefined;
  return { name: path, size: () => size, chunks: piecesOf(path, size !== undefined, signal) };
}

/** Opens the file only when it is read: an install may be refused before that, and Node ends a program that forgets an open file. */
async function* piecesOf(path: string, isFile: boolean, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw unreadable(path, foreignWords(error), error);
  });
  const read = async (buffer: Buffer): Promise<number> => {
    try {
      return (await file.read(buffer, 0, buffer.length)).bytesRead;
    } catch (error) {
      throw unreadable(path, foreignWords(error), error);
    }
  };
  yield* pieces(read, () => closed(file, isFile), signal);
}

const STANDARD_INPUT = 0;

/** The bytes of standard input: a pipe, a socket, a file or a block device. */
export function standardInput(signal: AbortSignal): ByteSource {
  const name = "standard input";
  const facts = fstatSync(STANDARD_INPUT);
  const chunks =
    // Node has no stream for a block device: its `process.stdin` is then empty.
    facts.isFile() || facts.isBlockDevice()
      ? pieces(
          async (buffer) => fromDescriptor(name, buffer),
          async () => undefined,
          signal,
        )
      : gathered(
          () => fromStandardInput(name),
          signal,
          () => void process.stdin.destroy(),
        );
  return { name, size: () => undefined, chunks };
}

async function fromDescriptor(name: string, buffer: Buffer): Promise<number> {
  try {
    return (await promisify(read)(STANDARD_INPUT, buffer, 0, buffer.length, null)).bytesRead;
  } catch (error) {
    throw new ProblemError(unreadableFile(name, foreignWords(error)), { cause: error });
  }
}

/**
 * By Node's own stream. A plain read(2) fails where the pipe is empty: once a tool has run, the pipe does not block any more, because execa
 * asks for `process.stdin`.
 */
async function* fromStandardInput(name: string): AsyncGenerator {
  try {
    yield* process.stdin;
  } catch (error) {
    throw new ProblemError(unreadableFile(name, foreignWords(error)), { cause: error });
  }
}

/** Closing waits for a pending read, and a pipe may keep that waiting permanently. */
async function closed(file: FileHandle, isFile: boolean): Promise<void> {
  const closing = file.close();
  if (isFile) await closing;
  else closing.catch(() => undefined);
}

/** Reads into two buffers in turn: while the caller works on one, the next chunk is read into the other. */
async function* pieces(
  read: (buffer: Buffer) => Promise<number>,
  close: () => Promise<void>,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  let [buffer, other] = [Buffer.alloc(CHUNK), Buffer.alloc(CHUNK)];
  const begin = (): Promise<number> => {
    const begun = filled(buffer, read);
    // Reported below, if the caller reads on.
    begun.catch(() => undefined);
    return begun;
  };
  let reading = begin();
  try {
    for (;;) {
      const length = await unlessStopped(reading, signal);
      if (length === 0) return;
      const piece = buffer.subarray(0, length);
      [buffer, other] = [other, buffer];
      reading = begin();
      yield piece;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    await close();
  }
}

/** A pipe gives 64 KiB at a time (pipe(7)). @returns the number of bytes: less than the buffer holds only at the end */
async function filled(buffer: Buffer, read: (buffer: Buffer) => Promise<number>): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const more = await read(buffer.subarray(length));
    if (more === 0) break;
    length += more;
  }
  return length;
}

/** A pipe may never deliver more data, and an abort must not wait for it. (Promise.race would keep a listener for each chunk.) */
async function unlessStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  work.then(resolve, reject);
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * The bytes of a stream that delivers small pieces, in pieces of a MiB. The next one is collected while the caller works on one.
 *
 * @param open called when the first piece is requested
 * @param stop ends what the stream waits for; called when no more is read, at the end too
 */
export async function* gathered(open: () => AsyncIterable<unknown>, signal: AbortSignal, stop: () => void): AsyncIterable<Uint8Array> {
  const chunks = open()[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array();
  let done = 0;
  const read = async (buffer: Buffer): Promise<number> => {
    while (done === chunk.length) {
      release(chunk);
      [chunk, done] = [new Uint8Array(), 0];
      const next = await chunks.next();
      if (next.done === true) return 0;
      if (next.value instanceof Uint8Array) chunk = next.value;
    }
    const piece = chunk.subarray(done, done + buffer.length);
    buffer.set(piece);
    done += piece.length;
    return piece.length;
  };
  const close = async (): Promise<void> => {
    stop();
    await chunks.return?.();
  };
  yield* pieces(read, close, signal);
}

/**
 * Frees the memory of a chunk that was copied. Tens of MiB of chunks would pile up before the garbage collector frees them, and it runs
 * often because of them. Memory that also holds something else is left alone.
 */
function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffer.transfer(0);
}

function unreadable(name: string, found: string, cause?: unknown): ProblemError {
  return new ProblemError({ ...unreadableFile(name, found), expected: "an upgrade image" }, { cause });
}

/** The same bytes, at most that many a second on average. A burst is at most the amount of one second. */
export function limitRate(source: ByteSource, bytesPerSecond: number, signal: AbortSignal): ByteSource {
  return { ...source, chunks: slowed(source.chunks, bytesPerSecond, signal) };
}

async function* slowed(chunks: AsyncIterable<Uint8Array>, bytesPerSecond: number, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const now = (): number => systemClock.now() * 1000;
  let due = now();
  for await (const chunk of chunks) {
    // Time that a slow reader did not use counts for one second at most.
    due = Math.max(due, now() - 1000) + (chunk.length / bytesPerSecond) * 1000;
    yield chunk;
    const wait = due - now();
    if (wait > 0) await pause(systemClock, wait, signal);
    signal.throwIfAborted();
  }
}
