import type { SharedBuffer } from "../system/disks/aligned-memory.ts";
import { zeroChunkDigest } from "./chunk-digest.ts";
import type { MemberSink } from "./image-reader.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { CHUNK_BYTES, type MemberContent } from "./manifest.ts";

/** A piece of a member, all of it in memory. */
export interface Chunk {
  readonly index: number;
  /** Bytes; less than a chunk only for the last one. */
  readonly length: number;
  /** The memory of a whole chunk, which begins with the content. */
  readonly memory: SharedBuffer;
  /** A whole chunk that is known to be all zeros; `memory` must then not be written to. */
  readonly isZero: boolean;
}

export interface ChunkHandler {
  /** @throws when the digest is not the expected one. That ends the member */
  readonly check?: (index: number, digest: Uint8Array) => void;
  /**
   * Runs in parallel with the hashing, and must await its end before it makes any durable change. An error ends the member.
   *
   * @param digest of the content. Rejects when `check` refuses it
   */
  readonly take: (chunk: Chunk, digest: Promise<Uint8Array>) => Promise<void>;
  /** Called after all chunks. */
  readonly end?: (content: MemberContent) => Promise<void>;
}

/** Cuts a member's content into chunks, hashes them, and passes them to the handler, several at a time. */
export class ChunkedMember implements MemberSink {
  readonly #buffers: BufferPool;
  readonly #handler: ChunkHandler;
  readonly #digests: Uint8Array[] = [];
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  /** The buffer that is being filled. */
  #fresh: SharedBuffer | undefined;
  #filled = 0;
  #index = 0;
  #bytes = 0;

  constructor(buffers: BufferPool, handler: ChunkHandler) {
    this.#buffers = buffers;
    this.#handler = handler;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const fresh = await this.#current();
      const piece = bytes.subarray(done, done + CHUNK_BYTES - this.#filled);
      fresh.set(piece, this.#filled);
      done += piece.length;
      this.#advance(piece.length);
    }
  }

  async zeros(count: number): Promise<void> {
    for (let left = count; left > 0;) {
      const fresh = await this.#current();
      if (this.#filled === 0 && left >= CHUNK_BYTES) {
        this.#submit(fresh, CHUNK_BYTES, true);
        left -= CHUNK_BYTES;
      } else {
        const piece = Math.min(left, CHUNK_BYTES - this.#filled);
        fresh.fill(0, this.#filled, this.#filled + piece);
        left -= piece;
        this.#advance(piece);
      }
    }
  }

  async end(): Promise<void> {
    if (this.#fresh !== undefined && this.#filled > 0) this.#submit(this.#fresh, this.#filled, false);
    await this.settle();
    if (this.#failure !== undefined) throw this.#failure.error;
    await this.#handler.end?.({ bytes: this.#bytes, chunks: this.#digests });
  }

  /** Waits for the chunks in progress, and gives back the memory. Call it after a failure too, so that no write goes on unnoticed. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
    if (this.#fresh !== undefined) this.#buffers.fresh.giveBack(this.#fresh);
    this.#fresh = undefined;
  }

  async #current(): Promise<SharedBuffer> {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#fresh ??= await this.#buffers.fresh.take();
    return this.#fresh;
  }

  #advance(count: number): void {
    this.#filled += count;
    if (this.#filled === CHUNK_BYTES && this.#fresh !== undefined) this.#submit(this.#fresh, CHUNK_BYTES, false);
  }

  #submit(fresh: SharedBuffer, length: number, knownZero: boolean): void {
    const isZero = length === CHUNK_BYTES && (knownZero || fresh.equals(this.#buffers.zeros));
    const chunk = { index: this.#index, length, isZero, memory: isZero ? this.#buffers.zeros : fresh };
    this.#fresh = undefined;
    this.#filled = 0;
    this.#index += 1;
    this.#bytes += length;
    const task = this.#process(chunk)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#running.delete(task);
        this.#buffers.fresh.giveBack(fresh);
      });
    this.#running.add(task);
  }

  async #process(chunk: Chunk): Promise<void> {
    const digest = this.#digest(chunk);
    // Both are awaited, whichever fails first: the memory is given back afterwards.
    const [hashed, taken] = await Promise.allSettled([digest, this.#handler.take(chunk, digest)]);
    if (hashed.status === "rejected") throw hashed.reason;
    if (taken.status === "rejected") throw taken.reason;
    this.#digests[chunk.index] = hashed.value;
  }

  async #digest({ index, length, memory, isZero }: Chunk): Promise<Uint8Array> {
    const digest = isZero ? zeroChunkDigest() : await this.#buffers.hashing.sha256(memory.subarray(0, length));
    this.#handler.check?.(index, digest);
    return digest;
  }
}
