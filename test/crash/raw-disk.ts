import { spawnSync } from "node:child_process";
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import type { DiskWrite } from "./crash-states.ts";

/** A disk as a raw, sparse file, onto which a log is replayed. */
export class RawDisk {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly #file: number;

  constructor(path: string) {
    this.path = path;
    this.#file = openSync(path, "r+");
    this.size = fstatSync(this.#file).size;
  }

  /** @throws RangeError for what is not on the disk */
  apply(writes: readonly DiskWrite[]): void {
    for (const write of writes) {
      const { offset, length, bytes } = write;
      if (offset + length > this.size) throw new RangeError(`${this.path} ends at ${this.size}, before ${offset + length}`);
      if (bytes === undefined) this.#discard(offset, length);
      else for (let done = 0; done < length;) done += writeSync(this.#file, bytes, done, length - done, offset + done);
    }
  }

  /** Applies the writes, lets `inspect` read the disk, and takes them back again. */
  async with<T>(writes: readonly DiskWrite[], inspect: () => T | Promise<T>): Promise<T> {
    const before: DiskWrite[] = [];
    for (const group of neighbours(writes)) {
      const held = { offset: group.offset, length: group.length, bytes: this.read(group.offset, group.length) };
      before.push(held);
      this.apply([group.isDiscard ? { offset: held.offset, length: held.length } : { ...held, bytes: overlaid(held, group.writes) }]);
    }
    try {
      return await inspect();
    } finally {
      // The last one first: where two overlap, the older one's bytes are those from before both.
      this.apply(before.toReversed());
    }
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = Buffer.alloc(length);
    for (let done = 0; done < length;) {
      const found = readSync(this.#file, bytes, done, length - done, offset + done);
      if (found === 0) throw new RangeError(`${this.path} ends at ${offset + done}`);
      done += found;
    }
    return bytes;
  }

  /** A hole reads as zeros, and costs nothing. */
  #discard(offset: number, length: number): void {
    const range = ["--offset", String(offset), "--length", String(length)];
    const { status, stderr } = spawnSync("fallocate", ["--punch-hole", ...range, this.path], { encoding: "utf8" });
    if (status !== 0) throw new Error(`cannot discard ${length} bytes at ${offset} of ${this.path}: ${stderr}`);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}

/** Bytes that are read and written as one, whatever of them is changed: a torn write has thousands of pieces. */
const GROUP = 1024 * 1024;

interface Group {
  readonly offset: number;
  readonly length: number;
  readonly isDiscard: boolean;
  readonly writes: DiskWrite[];
}

/** Writes that follow one another closely, on the disk as in the order, together; a discard is always alone. */
function neighbours(writes: readonly DiskWrite[]): readonly Group[] {
  const groups: Group[] = [];
  for (const write of writes) {
    const { offset, length, bytes } = write;
    const last = groups.at(-1);
    const isNext = last !== undefined && !last.isDiscard && bytes !== undefined && offset >= last.offset + last.length;
    if (isNext && offset + length - last.offset <= GROUP) {
      last.writes.push(write);
      groups[groups.length - 1] = { ...last, length: offset + length - last.offset };
    } else groups.push({ offset, length, isDiscard: bytes === undefined, writes: [write] });
  }
  return groups;
}

function overlaid(held: { readonly offset: number; readonly bytes: Uint8Array }, writes: readonly DiskWrite[]): Uint8Array {
  const bytes = Uint8Array.from(held.bytes);
  for (const write of writes) bytes.set(write.bytes ?? new Uint8Array(write.length), write.offset - held.offset);
  return bytes;
}
