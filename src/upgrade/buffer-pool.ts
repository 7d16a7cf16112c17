import { alignedBuffers, type SharedBuffer } from "../system/disks/aligned-memory.ts";
import { HashThread } from "../system/processes/hash-thread.ts";
import { CHUNK_BYTES } from "./manifest.ts";

/**
 * How many chunks may be in progress at once: one being filled, one being hashed, two being written. Together with the held buffers, this
 * is most of the memory of an install, whatever the size of the image.
 */
const FRESH = 4;
/**
 * How many chunks may be at the device at once. Two keep a disk busy. Node has four threads for file access and decompression, so two
 * remain for decompressing and for the source.
 */
const HELD = 2;

/** A pool of buffers of one chunk each. A caller waits while all are taken: this throttles the source. */
class Buffers {
  readonly #free: SharedBuffer[];
  readonly #waiting: ((buffer: SharedBuffer) => void)[] = [];

  constructor(buffers: readonly SharedBuffer[]) {
    this.#free = [...buffers];
  }

  async take(): Promise<SharedBuffer> {
    const buffer = this.#free.pop();
    if (buffer !== undefined) return buffer;
    const { promise, resolve } = Promise.withResolvers<SharedBuffer>();
    this.#waiting.push(resolve);
    return promise;
  }

  giveBack(buffer: SharedBuffer): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(buffer);
    else next(buffer);
  }
}

/** The resources of a whole install: buffers for chunks, and a thread that hashes. */
export class BufferPool implements AsyncDisposable {
  /** For the content of the image. */
  readonly fresh: Buffers;
  /** For the content of the partition at the same place; the owner of such a buffer has a turn at the device. */
  readonly held: Buffers;
  /** A chunk of zeros. Never written to. */
  readonly zeros: SharedBuffer;
  readonly hashing = new HashThread();

  constructor() {
    const buffers = alignedBuffers(FRESH + HELD, CHUNK_BYTES);
    this.fresh = new Buffers(buffers.slice(0, FRESH));
    this.held = new Buffers(buffers.slice(FRESH));
    const [zeros] = alignedBuffers(1, CHUNK_BYTES);
    if (zeros === undefined) throw new RangeError("no memory");
    this.zeros = zeros;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hashing[Symbol.asyncDispose]();
  }
}
