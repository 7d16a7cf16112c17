import { ProblemError } from "../../base/problem.ts";
import type { Host } from "../host.ts";
import { parseFatBootSector } from "./fat.ts";

/** A range of a disk, in bytes from its beginning. */
export interface DiskRange {
  readonly start: number;
  readonly bytes: number;
}

/** A file as its file system lays it out. */
export interface FatFile {
  readonly bytes: number;
  /** In order, each a whole cluster; together at least as long as the file. */
  readonly clusters: readonly DiskRange[];
}

/** Bytes. A file of more than that is not located, nor a folder of more. */
const LARGEST_FILE = 64 * 1024;
const LARGEST_FOLDER = 1024 * 1024;
const ENTRY = 32;

/**
 * Finds a file in the topmost folder of a FAT file system that no one has mounted, and of which nothing is trusted (Microsoft's FAT
 * specification). Reads alone. Names differ not by case, as for the kernel.
 *
 * @param disk the disk, or an image of it. @param partition where the file system is on it
 * @returns `undefined` when there is no such file
 * @throws ProblemError when it is no FAT file system, or a damaged one
 */
export async function findFatFile(host: Host, disk: string, partition: DiskRange, name: string): Promise<FatFile | undefined> {
  const damaged = (found: string): ProblemError =>
    new ProblemError({ code: "fat-unreadable", what: "cannot read the FAT file system", where: { file: disk }, found });
  const read = async ({ start, bytes }: DiskRange): Promise<Buffer> => {
    if (start + bytes > partition.bytes) throw damaged("it goes beyond its partition");
    const content = await host.readAt(disk, partition.start + start, bytes);
    if (content?.length !== bytes) throw damaged("it goes beyond its disk");
    return Buffer.from(content);
  };
  const sector = await read({ start: 0, bytes: 512 });
  if (parseFatBootSector(sector) === undefined) throw damaged("no boot sector of one");
  const fat = geometry(sector);

  /** The clusters of a chain, until they hold so many bytes. */
  const chain = async (first: number, most: number): Promise<readonly DiskRange[]> => {
    const clusters: DiskRange[] = [];
    for (let cluster = first; cluster < fat.end; cluster = fat.next(cluster, await read(fat.place(cluster)))) {
      if (cluster < 2 || cluster >= fat.clusters + 2) throw damaged(`a chain leads to cluster ${cluster}`);
      const range = { start: fat.data + (cluster - 2) * fat.clusterBytes, bytes: fat.clusterBytes };
      if (range.start + range.bytes > partition.bytes) throw damaged("it goes beyond its partition");
      clusters.push(range);
      if (clusters.length * fat.clusterBytes >= most) break;
    }
    return clusters;
  };

  const folder = fat.root.kind === "place" ? [fat.root.range] : await chain(fat.root.cluster, LARGEST_FOLDER);
  const entries = Buffer.concat(await Promise.all(folder.map(read)));
  const entry = entryNamed(entries, name);
  if (entry === undefined) return undefined;
  const bytes = entry.readUInt32LE(28);
  if (bytes > LARGEST_FILE) throw damaged(`${name} has ${bytes} bytes`);
  const first = entry.readUInt16LE(26) + (fat.root.kind === "chain" ? entry.readUInt16LE(20) * 0x10000 : 0);
  const clusters = bytes === 0 ? [] : await chain(first, bytes);
  if (clusters.length * fat.clusterBytes < bytes) throw damaged(`${name} ends before its ${bytes} bytes`);
  return { bytes, clusters: clusters.map(({ start, bytes: length }) => ({ start: partition.start + start, bytes: length })) };
}

interface Geometry {
  /** Where the clusters begin. */
  readonly data: number;
  readonly clusterBytes: number;
  readonly clusters: number;
  readonly root: { readonly kind: "place"; readonly range: DiskRange } | { readonly kind: "chain"; readonly cluster: number };
  /** Where the table tells of a cluster, and how what is there is read: the number of the next one, or one from `end` on. */
  readonly place: (cluster: number) => DiskRange;
  readonly next: (cluster: number, entry: Buffer) => number;
  readonly end: number;
}

/** Its type follows from the number of clusters (3.5), and for FAT32 from the field that only the others have, as for the kernel. */
function geometry(sector: Buffer): Geometry {
  const sectorBytes = sector.readUInt16LE(11);
  const clusterBytes = sector.readUInt8(13) * sectorBytes;
  const table = sector.readUInt16LE(14) * sectorBytes;
  const rootBytes = sector.readUInt16LE(17) * ENTRY;
  const shortTable = sector.readUInt16LE(22);
  const tableBytes = (shortTable === 0 ? sector.readUInt32LE(36) : shortTable) * sectorBytes;
  const rootAt = table + sector.readUInt8(16) * tableBytes;
  const data = rootAt + Math.ceil(rootBytes / sectorBytes) * sectorBytes;
  const shortTotal = sector.readUInt16LE(19);
  const total = (shortTotal === 0 ? sector.readUInt32LE(32) : shortTotal) * sectorBytes;
  const clusters = Math.max(0, Math.floor((total - data) / clusterBytes));
  const common = { data, clusterBytes, clusters, root: { kind: "place", range: { start: rootAt, bytes: rootBytes } } } as const;
  if (shortTable === 0)
    return {
      ...common,
      root: { kind: "chain", cluster: sector.readUInt32LE(44) },
      place: (cluster) => ({ start: table + cluster * 4, bytes: 4 }),
      next: (_, entry) => entry.readUInt32LE() % 0x10000000,
      end: 0xffffff8,
    };
  if (clusters >= 4085)
    return {
      ...common,
      place: (cluster) => ({ start: table + cluster * 2, bytes: 2 }),
      next: (_, entry) => entry.readUInt16LE(),
      end: 0xfff8,
    };
  return {
    ...common,
    // One and a half bytes each.
    place: (cluster) => ({ start: table + Math.floor(cluster * 1.5), bytes: 2 }),
    next: (cluster, entry) => (cluster % 2 === 0 ? entry.readUInt16LE() % 0x1000 : Math.floor(entry.readUInt16LE() / 16)),
    end: 0xff8,
  };
}

/** Attributes (6): of a volume's label, of a folder, and of an entry with a part of a long name. */
const LABEL = 0x08;
const FOLDER = 0x10;
const LONG = 0x0f;

/** The entry of a file of that name; a long name is in the entries before it, its last part first (7). */
function entryNamed(entries: Buffer, name: string): Buffer | undefined {
  let long = "";
  for (let at = 0; at + ENTRY <= entries.length; at += ENTRY) {
    const entry = entries.subarray(at, at + ENTRY);
    const [first = 0, attributes = 0] = [entry[0], entry[11]];
    if (first === 0) return undefined;
    if (first === 0xe5) long = "";
    else if ((attributes & 0x3f) === LONG) long = longPart(entry) + ((first & 0x40) === 0 ? long : "");
    else {
      const found = long === "" ? shortName(entry) : (long.split("\0", 1)[0] ?? "");
      long = "";
      if ((attributes & (LABEL | FOLDER)) === 0 && found.toLowerCase() === name.toLowerCase()) return entry;
    }
  }
  return undefined;
}

function longPart(entry: Buffer): string {
  return entry.toString("utf16le", 1, 11) + entry.toString("utf16le", 14, 26) + entry.toString("utf16le", 28, 32);
}

function shortName(entry: Buffer): string {
  const [base, extension] = [entry.toString("latin1", 0, 8).trimEnd(), entry.toString("latin1", 8, 11).trimEnd()];
  return extension === "" ? base : `${base}.${extension}`;
}
