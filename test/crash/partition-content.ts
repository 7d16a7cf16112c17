import { closeSync, openSync, readSync } from "node:fs";
import type { Extent } from "../../image/extent.ts";
import type { RawDisk } from "./raw-disk.ts";
import type { Range } from "./replay.ts";

/** Bytes that are compared as one. */
const CHUNK = 1024 * 1024;

/** Whether a partition is byte for byte what it should be. Only what has changed since the inspection before is compared again. */
export class PartitionContent {
  readonly #at: number;
  readonly #wanted: Extent;
  /** Chunks that were something else at the last inspection. */
  readonly #other = new Set<number>();

  /** @param at where the partition begins on the disk, in bytes */
  constructor(at: number, wanted: Extent) {
    this.#at = at;
    this.#wanted = wanted;
  }

  /** @param changed all that may be another than at the inspection before; at the first inspection, the whole partition */
  isWhole(disk: RawDisk, changed: readonly Range[]): boolean {
    const chunks = new Set(changed.flatMap((range) => this.#chunksOf(range)));
    if (chunks.size === 0) return this.#other.size === 0;
    const file = openSync(this.#wanted.path, "r");
    try {
      for (const chunk of chunks) {
        if (this.#isSame(disk, file, chunk)) this.#other.delete(chunk);
        else this.#other.add(chunk);
      }
    } finally {
      closeSync(file);
    }
    return this.#other.size === 0;
  }

  #chunksOf({ offset, length }: Range): readonly number[] {
    const first = Math.floor(Math.max(offset - this.#at, 0) / CHUNK);
    const end = Math.ceil(Math.min(offset + length - this.#at, this.#wanted.bytes) / CHUNK);
    return Array.from({ length: Math.max(end - first, 0) }, (_, n) => first + n);
  }

  #isSame(disk: RawDisk, file: number, chunk: number): boolean {
    const from = chunk * CHUNK;
    const wanted = Buffer.alloc(Math.min(CHUNK, this.#wanted.bytes - from));
    const found = readSync(file, wanted, 0, wanted.length, this.#wanted.offset + from);
    if (found !== wanted.length) throw new RangeError(`${this.#wanted.path} ends before ${this.#wanted.offset + from + wanted.length}`);
    return wanted.equals(disk.read(this.#at + from, wanted.length));
  }
}
