import { alignedBuffers } from "../system/aligned-memory.ts";
import { CHUNK_BYTES } from "./manifest.ts";

/** Memory for one chunk on its way: what the image brings, and what the partition holds at that place. */
export interface Lane {
  readonly fresh: Buffer<ArrayBuffer>;
  readonly held: Buffer<ArrayBuffer>;
}

/**
 * How many chunks may be on their way at once. With 8 MiB each, this is most of the memory of an install, whatever its size.
 * More would not help: the kernel and two processors are busy with three.
 */
const LANES = 3;

/** The memory of an install: taken once, handed out and given back. Whoever asks for a lane while all are taken waits; that is what slows the source down. */
export class Lanes {
  /** A chunk of zeros. Never written to. */
  readonly zeros: Buffer<ArrayBuffer>;
  readonly #free: Lane[];
  readonly #waiting: ((lane: Lane) => void)[] = [];

  constructor() {
    const buffers = alignedBuffers(2 * LANES + 1, CHUNK_BYTES);
    const at = (index: number): Buffer<ArrayBuffer> => buffers[index] ?? Buffer.alloc(CHUNK_BYTES);
    this.zeros = at(2 * LANES);
    this.#free = Array.from({ length: LANES }, (_, index) => ({ fresh: at(2 * index), held: at(2 * index + 1) }));
  }

  async take(): Promise<Lane> {
    const lane = this.#free.pop();
    if (lane !== undefined) return lane;
    const { promise, resolve } = Promise.withResolvers<Lane>();
    this.#waiting.push(resolve);
    return promise;
  }

  giveBack(lane: Lane): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(lane);
    else next(lane);
  }
}
