import { DIRECT_ALIGNMENT, type DirectFile } from "../system/direct-file.ts";
import type { Host } from "../system/host.ts";
import { zeroOut } from "../system/zero-out.ts";
import type { Chunk, ChunkHandler } from "./chunked-member.ts";
import type { Lanes } from "./lanes.ts";
import { CHUNK_BYTES } from "./manifest.ts";

/** What was done to a partition, in bytes. Their sum is the size of the member, rounded up to whole blocks of 4096. */
export interface Written {
  readonly written: number;
  /** Was there already. */
  readonly identical: number;
  /** Became zeros without zeros being sent, or with, where the device knows no other way. */
  readonly zeroed: number;
}

/** Bytes that are compared, and written, as one: small enough that a change of a few bytes costs little. */
const UNIT = 64 * 1024;
/** A shorter run of zeros is written together with what is around it. */
const SHORTEST_ZERO_RUN = 1024 * 1024;
/** For a shorter run, starting a process takes longer than writing it. */
const WORTH_A_COMMAND = 8 * 1024 * 1024;

interface Range {
  readonly offset: number;
  readonly length: number;
}

/**
 * Writes a member to its partition, from the partition's first byte on: only what is not there already, and zeros where
 * possible without writing them. What lies behind the image is left as it is: nothing looks there, and zeroing
 * gigabytes would be most of the work.
 */
export class SlotWriter {
  readonly #host: Host;
  readonly #file: DirectFile;
  readonly #kind: "block-device" | "file";
  readonly #lanes: Lanes;
  readonly #zeroRanges: Range[] = [];
  #written = 0;
  #identical = 0;
  #zeroed = 0;

  constructor(host: Host, file: DirectFile, kind: "block-device" | "file", lanes: Lanes) {
    this.#host = host;
    this.#file = file;
    this.#kind = kind;
    this.#lanes = lanes;
  }

  get counts(): Written {
    return { written: this.#written, identical: this.#identical, zeroed: this.#zeroed };
  }

  /** Reads what the partition holds at the chunk's place. */
  readonly prepare = async ({ index, length, lane }: Chunk): Promise<void> => {
    this.#host.signal.throwIfAborted();
    const offset = index * CHUNK_BYTES;
    await this.#file.read(lane.held.subarray(0, this.#whole(offset, length)), offset);
  };

  readonly take: ChunkHandler["take"] = async ({ index, length, lane, content, isZero }) => {
    this.#host.signal.throwIfAborted();
    const offset = index * CHUNK_BYTES;
    const whole = this.#whole(offset, length);
    // The rest of the last block stays as it is. A chunk that is not whole is never the shared one of zeros.
    if (whole > length) lane.held.copy(lane.fresh, length, length, whole);
    const fresh = isZero ? content : lane.fresh.subarray(0, whole);
    const held = lane.held.subarray(0, whole);
    if (fresh.equals(held)) {
      this.#identical += whole;
      return;
    }
    for (const { kind, from, to } of this.#runs(fresh, held)) {
      if (kind === "identical") this.#identical += to - from;
      else if (kind === "zero") this.#zeroRanges.push({ offset: offset + from, length: to - from });
      else {
        await this.#file.write(fresh.subarray(from, to), offset + from);
        this.#written += to - from;
      }
    }
  };

  /** After the last chunk: the zeros, then everything on the disk. */
  async finish(): Promise<void> {
    for (const { offset, length } of joined(this.#zeroRanges)) {
      this.#host.signal.throwIfAborted();
      const done = length >= WORTH_A_COMMAND && (await zeroOut(this.#host, this.#file.path, this.#kind, offset, length));
      for (let at = done ? length : 0; at < length; at += CHUNK_BYTES) {
        await this.#file.write(this.#lanes.zeros.subarray(0, Math.min(CHUNK_BYTES, length - at)), offset + at);
      }
      this.#zeroed += length;
    }
    await this.#file.sync();
  }

  /** A length rounded up to what direct I/O can write, and not beyond the end of the partition. */
  #whole(offset: number, length: number): number {
    return Math.min(Math.ceil(length / DIRECT_ALIGNMENT) * DIRECT_ALIGNMENT, this.#file.bytes - offset);
  }

  /** Neighbouring units of the same kind as one, and short runs of zeros as data. */
  #runs(fresh: Buffer, held: Buffer): readonly Run[] {
    const runs: Run[] = [];
    const add = (kind: Run["kind"], from: number, to: number): void => {
      const last = runs.at(-1);
      if (last?.kind === kind) runs[runs.length - 1] = { kind, from: last.from, to };
      else runs.push({ kind, from, to });
    };
    for (let from = 0; from < fresh.length; from += UNIT) {
      const to = Math.min(from + UNIT, fresh.length);
      const same = fresh.compare(held, from, to, from, to) === 0;
      add(same ? "identical" : fresh.compare(this.#lanes.zeros, 0, to - from, from, to) === 0 ? "zero" : "data", from, to);
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

/** Ranges in order, neighbours as one. Chunks are handled several at a time, so they come in any order. */
function joined(ranges: readonly Range[]): readonly Range[] {
  const found: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.offset - b.offset)) {
    const last = found.at(-1);
    if (last !== undefined && last.offset + last.length === range.offset) {
      found[found.length - 1] = { offset: last.offset, length: last.length + range.length };
    } else found.push(range);
  }
  return found;
}
