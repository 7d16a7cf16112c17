import { alignedBuffers, type SharedBuffer } from "../system/disks/aligned-memory.ts";
import { HashThread } from "../system/processes/hash-thread.ts";
import { CHUNK_BYTES } from "./manifest.ts";

/**
 * How many chunks may be on their way at once: one that is being filled, one that is hashed, two that are written. With what
 * is held beside them this is most of the memory of an install, whatever the size of the image.
 */
const FRESH = 4;
/**
 * How many chunks may be with the device at once. Two keep a disk busy; and of the four threads on which Node lets files be read
 * and written and data be decompressed, two are left for the decompressing and the source.
 */
const HELD = 2;

/** Buffers of one chunk each, handed out and given back. Whoever asks while all are taken waits: that is what slows the source down. */
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

/** What chunks need on their way, taken once for a whole install: memory, and a thread that hashes. */
export class Lanes implements AsyncDisposable {
  /** For what the image brings. */
  readonly fresh: Buffers;
  /** For what the partition holds at that place; and whoever has one has a turn at the device. */
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
