import { sha256, zeroChunkDigest } from "./chunk-digest.ts";
import type { MemberSink } from "./image-reader.ts";
import type { Lane, Lanes } from "./lanes.ts";
import { CHUNK_BYTES, type MemberContent } from "./manifest.ts";

/** A piece of a member, all of it in memory. */
export interface Chunk {
  readonly index: number;
  /** Bytes; less than a chunk only for the last one. */
  readonly length: number;
  readonly content: Buffer<ArrayBuffer>;
  /** Known to be zeros from the first byte to the last; `content` may then not be written to. */
  readonly isZero: boolean;
  readonly lane: Lane;
}

export interface ChunkHandler {
  /** Runs beside the hashing. */
  readonly prepare?: (chunk: Chunk) => Promise<void>;
  /** After both. What it throws ends the member. */
  readonly take: (chunk: Chunk, digest: Uint8Array) => Promise<void>;
  /** After all chunks. */
  readonly end?: (content: MemberContent) => Promise<void>;
}

/** Cuts a member's content into chunks, hashes them, and hands them on, several at a time. */
export class ChunkedMember implements MemberSink {
  readonly #lanes: Lanes;
  readonly #handler: ChunkHandler;
  readonly #digests: Uint8Array[] = [];
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #lane: Lane | undefined;
  #filled = 0;
  #index = 0;
  #bytes = 0;

  constructor(lanes: Lanes, handler: ChunkHandler) {
    this.#lanes = lanes;
    this.#handler = handler;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const lane = await this.#current();
      const piece = bytes.subarray(done, done + CHUNK_BYTES - this.#filled);
      lane.fresh.set(piece, this.#filled);
      done += piece.length;
      this.#advance(piece.length);
    }
  }

  async zeros(count: number): Promise<void> {
    for (let left = count; left > 0;) {
      const lane = await this.#current();
      if (this.#filled === 0 && left >= CHUNK_BYTES) {
        this.#submit(lane, CHUNK_BYTES, true);
        left -= CHUNK_BYTES;
      } else {
        const piece = Math.min(left, CHUNK_BYTES - this.#filled);
        lane.fresh.fill(0, this.#filled, this.#filled + piece);
        left -= piece;
        this.#advance(piece);
      }
    }
  }

  async end(): Promise<void> {
    if (this.#lane !== undefined && this.#filled > 0) this.#submit(this.#lane, this.#filled, false);
    await this.settle();
    if (this.#failure !== undefined) throw this.#failure.error;
    await this.#handler.end?.({ bytes: this.#bytes, chunks: this.#digests });
  }

  /** Waits for what was begun, and gives back the memory. Also after a failure: nothing may be written behind the caller's back. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#lane !== undefined) this.#lanes.giveBack(this.#lane);
    this.#lane = undefined;
  }

  async #current(): Promise<Lane> {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#lane ??= await this.#lanes.take();
    return this.#lane;
  }

  #advance(count: number): void {
    this.#filled += count;
    if (this.#filled === CHUNK_BYTES && this.#lane !== undefined) this.#submit(this.#lane, CHUNK_BYTES, false);
  }

  #submit(lane: Lane, length: number, knownZero: boolean): void {
    const isZero = length === CHUNK_BYTES && (knownZero || lane.fresh.equals(this.#lanes.zeros));
    const chunk = { index: this.#index, length, isZero, lane, content: (isZero ? this.#lanes.zeros : lane.fresh).subarray(0, length) };
    this.#lane = undefined;
    this.#filled = 0;
    this.#index += 1;
    this.#bytes += length;
    const task = this.#process(chunk)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#running.delete(task);
        this.#lanes.giveBack(lane);
      });
    this.#running.add(task);
  }

  async #process(chunk: Chunk): Promise<void> {
    const preparing = this.#handler.prepare?.(chunk);
    const digest = chunk.isZero ? zeroChunkDigest() : sha256(chunk.content);
    await preparing;
    this.#digests[chunk.index] = digest;
    await this.#handler.take(chunk, digest);
  }
}
