import type { LogEntry, WriteLog } from "./log-writes.ts";

/**
 * What a power cut can leave of the writes in a log.
 *
 * A disk may keep what it was given in a volatile cache, and write it down in any order, until a flush. So the log falls into
 * windows, each from one boundary (a flush, a write with FUA, a mark) to the next: at a cut within it, all that was logged before the
 * last flush is there, and of what came since, any part. A sector is there whole or not at all.
 */
export interface Window {
  /** Entries before this index are durable. */
  readonly durable: number;
  /** Entries from here on were not logged yet. */
  readonly end: number;
  /** Written, and free to be there or not. In order. */
  readonly pending: readonly LogEntry[];
  /** Written with FUA since the last flush: there, whatever of the others is. In order. */
  readonly forced: readonly LogEntry[];
}

/** All windows of a log, in order; each begins where the one before ended. A window without anything pending is one state. */
export function windowsOf(entries: readonly LogEntry[]): readonly Window[] {
  const windows: Window[] = [];
  let durable = 0;
  let since: LogEntry[] = [];
  const close = (end: number): void => {
    const writes = since.filter(({ length }) => length > 0);
    windows.push({ durable, end, pending: writes.filter(({ fua }) => !fua), forced: writes.filter(({ fua }) => fua) });
  };
  for (const entry of entries) {
    if (entry.flush) {
      close(entry.index);
      durable = entry.index;
      since = [];
    }
    // What is pending before a write with FUA may as well be missing after it: the window after it holds it again.
    // A mark divides it too, into what may be before it was set and what may be after.
    else if (entry.fua || entry.mark !== undefined) close(entry.index);
    since.push(entry);
  }
  close(entries.length);
  return windows;
}

/** A piece of a pending write that is there or not; in bytes. */
export interface Piece {
  readonly entry: LogEntry;
  /** Within the entry. */
  readonly from: number;
  readonly length: number;
}

/** The pending writes of a window, cut up into what a disk writes in one go. @param unit bytes; a discard is never cut up */
export function piecesOf({ pending }: Window, unit: number): readonly Piece[] {
  return pending.flatMap((entry) => {
    const size = entry.discard ? entry.length : unit;
    return Array.from({ length: Math.ceil(entry.length / size) }, (_, n) => ({
      ...{ entry, from: n * size, length: Math.min(size, entry.length - n * size) },
    }));
  });
}

/** What is on the disk after a cut, beyond what is durable: to be written in this order. */
export function writesAfterCut(log: WriteLog, { forced }: Window, kept: readonly Piece[]): readonly DiskWrite[] {
  const always = forced.map((entry) => ({ entry, from: 0, length: entry.length }));
  const inOrder = [...always, ...kept].toSorted((one, two) => one.entry.index - two.entry.index || one.from - two.from);
  const runs: Piece[] = [];
  for (const piece of inOrder) {
    const before = runs.at(-1);
    if (before?.entry === piece.entry && before.from + before.length === piece.from) {
      runs[runs.length - 1] = { ...before, length: before.length + piece.length };
    } else runs.push(piece);
  }
  // Each entry is read once, however many pieces of it there are.
  let read: { readonly entry: LogEntry; readonly bytes: Uint8Array } | undefined;
  return runs.map(({ entry, from, length }) => {
    if (entry.discard) return { offset: entry.offset + from, length };
    if (read?.entry !== entry) read = { entry, bytes: log.data(entry) };
    return { offset: entry.offset + from, length, bytes: read.bytes.subarray(from, from + length) };
  });
}

export interface DiskWrite {
  readonly offset: number;
  readonly length: number;
  /** Absent for a discard: zeros. */
  readonly bytes?: Uint8Array;
}

/** What the entries wrote, in order. */
export function writesOf(log: WriteLog, from: number, to: number): readonly DiskWrite[] {
  return log.entries
    .slice(from, to)
    .filter(({ length }) => length > 0)
    .map((entry) => ({ offset: entry.offset, length: entry.length, ...(entry.discard ? {} : { bytes: log.data(entry) }) }));
}

/**
 * Every subset of the pieces; or, where these are more than `limit`, that many: none, all, each prefix, each single one, all
 * but each single one, and then subsets by chance, evenly over how many are kept.
 *
 * @param random from 0 to below 1
 */
export function* subsetsOf<T>(pieces: readonly T[], limit: number, random: () => number): Generator<readonly T[]> {
  const { length } = pieces;
  if (length < 31 && 2 ** length <= limit) {
    for (let bits = 0; bits < 2 ** length; bits += 1) yield pieces.filter((_, n) => (bits & (1 << n)) !== 0);
    return;
  }
  let given = 0;
  for (const subset of tellingSubsets(pieces)) {
    if (given >= limit) return;
    given += 1;
    yield subset;
  }
  for (; given < limit; given += 1) {
    const share = random();
    yield pieces.filter(() => random() < share);
  }
}

function* tellingSubsets<T>(pieces: readonly T[]): Generator<readonly T[]> {
  yield [];
  yield pieces;
  for (const [n] of pieces.entries()) {
    if (n > 1) yield pieces.slice(0, n);
    yield pieces.filter((_, other) => other === n);
    yield pieces.filter((_, other) => other !== n);
  }
}

/** The same numbers, from 0 to below 1, for the same seed (mulberry32, public domain). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
