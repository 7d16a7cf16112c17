import { BadTar } from "./bad-tar.ts";
import type { ByteReader } from "./byte-reader.ts";
import { numberField, TAR_BLOCK, type TarHeader } from "./tar-header.ts";

/** A stored stretch of a member. Between two segments there are only zeros. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

export interface SparseMap {
  /** Bytes of the unpacked member. */
  readonly size: number;
  readonly segments: readonly Segment[];
  /** Bytes of the stored data that the map itself took (PAX 1.0 keeps it there). */
  readonly mapBytes: number;
}

/** The map is held in memory. More segments would mean a file of which every second block is a hole. */
const MAX_SEGMENTS = 200_000;
/** Bytes of an entry, and byte offsets in the header and in its extension blocks (GNU tar manual, "Sparse formats": struct sparse). */
const ENTRY = 24;
const HEADER = { entries: 386, count: 4, extended: 482, realSize: 483 };
const EXTENSION = { count: 21, extended: 504 };

/** The map of an old GNU sparse member (type S), whose header continues in further blocks. @throws BadTar for a map that makes no sense */
export async function oldGnuMap(header: TarHeader, reader: ByteReader): Promise<SparseMap> {
  const entries: Segment[] = [];
  const bad = badMap(header.name);
  const take = (block: Buffer, offset: number, count: number): void => {
    for (let index = 0; index < count; index += 1) {
      const at = offset + index * ENTRY;
      // An unused entry is all NUL.
      if (block[at] === 0 && block[at + 12] === 0) continue;
      const segment = { offset: numberField(block, at, 12), length: numberField(block, at + 12, 12) };
      if (segment.offset === undefined || segment.length === undefined) throw bad("an entry that is no number");
      entries.push({ offset: segment.offset, length: segment.length });
      if (entries.length > MAX_SEGMENTS) throw bad(`more than ${MAX_SEGMENTS} segments`);
    }
  };
  const size = numberField(header.block, HEADER.realSize, 12);
  if (size === undefined) throw bad("no size");
  take(header.block, HEADER.entries, HEADER.count);
  let extended = header.block[HEADER.extended] === 1;
  while (extended) {
    const block = await reader.exactly(TAR_BLOCK, `the sparse map of ${header.name}`);
    take(block, 0, EXTENSION.count);
    extended = block[EXTENSION.extended] === 1;
  }
  return checked({ size, segments: entries, mapBytes: 0 }, header.stored, bad);
}

/**
 * The map of a PAX 1.0 sparse member: decimal numbers, one per line, at the beginning of its data, padded to a whole block.
 *
 * @param size from the pax header: GNU.sparse.realsize
 * @throws BadTar for a map that makes no sense
 */
export async function paxMap(name: string, stored: number, size: number, reader: ByteReader): Promise<SparseMap> {
  const bad = badMap(name);
  const numbers: number[] = [];
  let wanted = 1;
  let line = "";
  let mapBytes = 0;
  while (numbers.length < wanted) {
    if (mapBytes + TAR_BLOCK > stored) throw bad("a map that is longer than the member");
    const block = await reader.exactly(TAR_BLOCK, `the sparse map of ${name}`);
    mapBytes += TAR_BLOCK;
    const lines = `${line}${block.toString("latin1")}`.split("\n");
    line = lines.pop() ?? "";
    for (const text of lines.slice(0, wanted === 1 ? undefined : wanted - numbers.length)) {
      if (!/^\d{1,15}$/.test(text)) throw bad("an entry that is no number");
      numbers.push(Number(text));
      if (numbers.length === 1) {
        wanted = 1 + 2 * Number(text);
        if (Number(text) > MAX_SEGMENTS) throw bad(`more than ${MAX_SEGMENTS} segments`);
      }
      if (numbers.length === wanted) break;
    }
  }
  const segments = Array.from({ length: (wanted - 1) / 2 }, (_, index) => ({
    offset: numbers[1 + 2 * index] ?? 0,
    length: numbers[2 + 2 * index] ?? 0,
  }));
  return checked({ size, segments, mapBytes }, stored, bad);
}

function badMap(name: string): (found: string) => BadTar {
  return (found) => new BadTar("other", { code: "sparse-map-damaged", what: `the sparse map of ${name} is not valid`, found });
}

function checked(map: SparseMap, stored: number, bad: (found: string) => BadTar): SparseMap {
  let end = 0;
  let data = 0;
  for (const { offset, length } of map.segments) {
    if (offset < end) throw bad(`a segment at byte ${offset}, before the end of the one before it`);
    end = offset + length;
    data += length;
    if (end > map.size) throw bad(`a segment up to byte ${end} of ${map.size}`);
  }
  if (data + map.mapBytes !== stored) throw bad(`${stored - map.mapBytes} bytes stored for ${data} bytes in the map`);
  return map;
}
