import { DIRECT_ALIGNMENT, type DirectFile } from "../system/disks/direct-file.ts";
import type { Host } from "../system/host.ts";
import { type ByteRange, zeroOut } from "../system/disks/zero-out.ts";
import type { ChunkHandler } from "./chunked-member.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { CHUNK_BYTES } from "./manifest.ts";

/** What was done to a partition, in bytes. Their sum is the size of the member, rounded up to whole blocks of 4096. */
export interface Written {
  readonly written: number;
  /** Already there. */
  readonly identical: number;
  /** Zeroed: by a command to the device where possible, else by writing zeros. */
  readonly zeroed: number;
}

/** Bytes that are compared, and written, as one unit: small enough that a change of a few bytes costs little. */
const UNIT = 64 * 1024;
/** Blocks of a chunk that are read before all of it is: the first of each MiB. For a chunk of zeros, which costs little to write, one. */
const SAMPLES = 4;
/** A shorter run of zeros is written together with its neighbours. */
const SHORTEST_ZERO_RUN = 1024 * 1024;
/** For a shorter run, starting a process takes about as long as writing it. */
const WORTH_A_COMMAND = 8 * 1024 * 1024;
/** The number of zero ranges, a chunk each at most, that are collected before they are zeroed while other chunks are in progress. */
const ZERO_BATCH = 64;

/**
 * Writes a member to its partition, from the partition's first byte on. It writes only what is not there already, and makes zeros without
 * writing them where possible. Content after the image stays: it is never read, and zeroing gigabytes would be most of the work.
 */
export class SlotWriter {
  readonly #host: Host;
  readonly #file: DirectFile;
  readonly #kind: "block-device" | "file";
  readonly #buffers: BufferPool;
  /** Ranges still to be zeroed. */
  #zeroRanges: readonly ByteRange[] = [];
  #written = 0;
  #identical = 0;
  #zeroed = 0;

  constructor(host: Host, file: DirectFile, kind: "block-device" | "file", buffers: BufferPool) {
    this.#host = host;
    this.#file = file;
    this.#kind = kind;
    this.#buffers = buffers;
  }

  get counts(): Written {
    return { written: this.#written, identical: this.#identical, zeroed: this.#zeroed };
  }

  readonly take: ChunkHandler["take"] = async ({ index, length, memory, isZero }, digest) => {
    const offset = index * CHUNK_BYTES;
    const held = await this.#buffers.held.take();
    try {
      this.#host.signal.throwIfAborted();
      const whole = this.#whole(offset, length);
      const there = held.subarray(0, whole);
      const isNew = length === CHUNK_BYTES && (await this.#inspectsNew(memory, there, offset, isZero ? 1 : SAMPLES));
      if (!isNew) await this.#file.read(there, offset);
      // The rest of the last block stays unchanged. An incomplete chunk is never the shared chunk of zeros.
      if (whole > length) held.copy(memory, length, length, whole);
      await digest;
      this.#host.signal.throwIfAborted();
      await this.#put(memory.subarray(0, whole), isNew ? undefined : there, offset);
    } finally {
      this.#buffers.held.giveBack(held);
    }
  };

  /** After the last chunk: zeroes the remaining ranges, then syncs everything to the disk. */
  async finish(): Promise<void> {
    await this.#zero();
    await this.#file.sync();
  }

  /**
   * Whether the chunk's content is probably not on the partition yet. Disks read no faster than they write, so reading everything to save
   * some writes would take twice as long. So a few blocks are read, and the rest only where one of them is there already. A wrong guess
   * costs an unnecessary write.
   */
  async #inspectsNew(fresh: Buffer, held: Buffer, offset: number, samples: number): Promise<boolean> {
    for (let sample = 0; sample < samples; sample += 1) {
      const at = (sample * CHUNK_BYTES) / samples;
      const block = held.subarray(at, at + DIRECT_ALIGNMENT);
      await this.#file.read(block, offset + at);
      if (block.equals(fresh.subarray(at, at + DIRECT_ALIGNMENT))) return false;
    }
    return true;
  }

  /** @param held the current content; `undefined` for different content */
  async #put(fresh: Buffer, held: Buffer | undefined, offset: number): Promise<void> {
    for (const { kind, from, to } of this.#runs(fresh, held)) {
      if (kind === "identical") this.#identical += to - from;
      else if (kind === "zero") this.#zeroRanges = [...this.#zeroRanges, { offset: offset + from, length: to - from }];
      else {
        await this.#file.write(fresh.subarray(from, to), offset + from);
        this.#written += to - from;
      }
    }
    if (this.#zeroRanges.length >= ZERO_BATCH) await this.#zero();
  }

  /** Zeroes the collected ranges. Short runs are sent as data: a command to the device for each would take longer. */
  async #zero(): Promise<void> {
    const ranges = joined(this.#zeroRanges);
    this.#zeroRanges = [];
    const long = ranges.filter(({ length }) => length >= WORTH_A_COMMAND);
    const done = long.length > 0 && (await zeroOut(this.#host, this.#file.path, this.#kind, long));
    for (const { offset, length } of done ? ranges.filter((range) => !long.includes(range)) : ranges) {
      for (let at = 0; at < length; at += CHUNK_BYTES) {
        this.#host.signal.throwIfAborted();
        await this.#file.write(this.#buffers.zeros.subarray(0, Math.min(CHUNK_BYTES, length - at)), offset + at);
      }
    }
    this.#zeroed += ranges.reduce((sum, { length }) => sum + length, 0);
  }

  /** A length rounded up to what direct I/O can write, and not beyond the end of the partition. */
  #whole(offset: number, length: number): number {
    return Math.min(Math.ceil(length / DIRECT_ALIGNMENT) * DIRECT_ALIGNMENT, this.#file.bytes - offset);
  }

  /** Merges neighbouring units of the same kind, and treats short runs of zeros as data. */
  #runs(fresh: Buffer, held: Buffer | undefined): readonly Run[] {
    if (held?.equals(fresh) === true) return [{ kind: "identical", from: 0, to: fresh.length }];
    const runs: Run[] = [];
    const add = (kind: Run["kind"], from: number, to: number): void => {
      const last = runs.at(-1);
      if (last?.kind === kind) runs[runs.length - 1] = { kind, from: last.from, to };
      else runs.push({ kind, from, to });
    };
    for (let from = 0; from < fresh.length; from += UNIT) {
      const to = Math.min(from + UNIT, fresh.length);
      const same = held !== undefined && fresh.compare(held, from, to, from, to) === 0;
      add(same ? "identical" : fresh.compare(this.#buffers.zeros, 0, to - from, from, to) === 0 ? "zero" : "data", from, to);
    }
    const all = runs.map((run) => (run.kind === "zero" && run.to - run.from < SHORTEST_ZERO_RUN ? { ...run, kind: "data" as const } : run));
    runs.length = 0;
    for (const { kind, from, to } of all) add(kind, from, to);
    return runs;
  }
}

interface Run {
  readonly kind: "identical" | "zero" | "data";
  readonly from: number;
  readonly to: number;
}

/** Sorts the ranges and merges neighbours. Chunks are handled several at a time, so the ranges come in any order. */
function joined(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const found: ByteRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.offset - b.offset)) {
    const last = found.at(-1);
    if (last !== undefined && last.offset + last.length === range.offset) {
      found[found.length - 1] = { offset: last.offset, length: last.length + range.length };
    } else found.push(range);
  }
  return found;
}
