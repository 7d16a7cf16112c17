import { type createHash, hash } from "node:crypto";
import { type MessagePort, Worker } from "node:worker_threads";
import { alignedBuffers, type SharedBuffer } from "../disks/aligned-memory.ts";

/**
 * Bytes. Starting a thread takes as long as hashing some megabytes. So small data, and all data before the first large block, is hashed on
 * the calling thread.
 */
const WORTH_A_THREAD = 1024 * 1024;
/** Chunks of a stream are collected into blocks of this size. `BLOCKS` of them may wait to be hashed. */
const BLOCK = 1024 * 1024;
const BLOCKS = 3;
/** Megabytes. A thread needs very little memory: the data that it hashes is in shared memory, which does not count here. */
const THREAD_MEMORY = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 };

type Job = { readonly kind: "whole" | "part"; readonly bytes: SharedBuffer } | { readonly kind: "end" };

interface Crypto {
  readonly createHash: typeof createHash;
  readonly hash: typeof hash;
}

/**
 * The thread's program: each job gets one answer, in order.
 *
 * It is passed as source text, because the executable has no files from which a thread could be started. So it may use only its arguments.
 */
function work(crypto: Crypto, port: MessagePort): void {
  const stream = crypto.createHash("sha256");
  port.on("message", (job: Job) => {
    if (job.kind === "whole") port.postMessage(crypto.hash("sha256", job.bytes, "buffer"));
    else if (job.kind === "end") port.postMessage(stream.digest());
    else {
      stream.update(job.bytes);
      port.postMessage(undefined);
    }
  });
}

interface Answer {
  readonly resolve: (digest: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

class Thread {
  readonly #worker: Worker;
  readonly #waiting: Answer[] = [];
  #failure: { readonly error: unknown } | undefined;

  constructor() {
    const source = `(${work.toString()})(require("node:crypto"), require("node:worker_threads").parentPort);`;
    this.#worker = new Worker(source, { eval: true, name: "hash", env: {}, execArgv: [], resourceLimits: THREAD_MEMORY });
    this.#worker.on("message", (digest: Uint8Array) => this.#waiting.shift()?.resolve(digest));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(new Error("the hashing thread was stopped")));
  }

  /** @returns the answer; it has no meaning for a part */
  async do(job: Job): Promise<Uint8Array> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#waiting.push({ resolve, reject });
    // Nothing is transferred: the memory is shared.
    this.#worker.postMessage(job, []);
    return promise;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    for (const answer of this.#waiting.splice(0)) answer.reject(error);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

/**
 * SHA-256 on a thread of its own. Node hashes on the calling thread, and would stop the main thread from moving data for half of an
 * install's time. One thread hashes as fast as a good disk writes. It starts with the first block that is large enough, and runs until this
 * object is disposed of.
 */
export class HashThread implements AsyncDisposable {
  #thread: Thread | undefined;

  /** @param bytes must not change before the digest is there. @returns the digest, as bytes */
  async sha256(bytes: SharedBuffer): Promise<Uint8Array> {
    return bytes.length < WORTH_A_THREAD ? hash("sha256", bytes, "buffer") : this.#started().do({ kind: "whole", bytes });
  }

  /** Hashes consecutive chunks as one. There is one stream in the life of the thread. */
  stream(): HashStream {
    return new HashStream(() => this.#started());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread?.stop();
  }

  #started(): Thread {
    this.#thread ??= new Thread();
    return this.#thread;
  }
}

/** See HashThread.stream. */
export class HashStream {
  readonly #thread: () => Thread;
  readonly #blocks = alignedBuffers(BLOCKS, BLOCK);
  /** The pending jobs, one for each block, oldest first. */
  readonly #running: Promise<unknown>[] = [];
  #full = 0;
  #filled = 0;

  constructor(thread: () => Thread) {
    this.#thread = thread;
  }

  /** Copies the bytes. Resolves when there is room for more. */
  async update(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const piece = bytes.subarray(done, done + BLOCK - this.#filled);
      this.#block().set(piece, this.#filled);
      done += piece.length;
      this.#filled += piece.length;
      if (this.#filled === BLOCK) await this.#submit();
    }
  }

  /** Ends the stream: `update` must not be called any more. @returns the digest of all bytes */
  async digest(): Promise<Uint8Array> {
    const rest = this.#block().subarray(0, this.#filled);
    if (this.#full === 0) return hash("sha256", rest, "buffer");
    const parts = [...this.#running, this.#thread().do({ kind: "part", bytes: rest })];
    const digest = this.#thread().do({ kind: "end" });
    await Promise.all([...parts, digest]);
    return digest;
  }

  #block(): SharedBuffer {
    const block = this.#blocks[this.#full % BLOCKS];
    if (block === undefined) throw new RangeError("no block");
    return block;
  }

  async #submit(): Promise<void> {
    const part = this.#thread().do({ kind: "part", bytes: this.#block() });
    // Reported when its block is needed again, or at the end.
    part.catch(() => undefined);
    this.#running.push(part);
    this.#full += 1;
    this.#filled = 0;
    if (this.#running.length === BLOCKS) await this.#running.shift();
  }
}
