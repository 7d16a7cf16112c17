import { quoted } from "../base/quoted.ts";
import { BadTar, type TarFault } from "./bad-tar.ts";
import { ByteReader } from "./byte-reader.ts";
import { parsePax } from "./pax.ts";
import { oldGnuMap, paxMap, type Segment, type SparseMap } from "./sparse.ts";
import { parseTarHeader, TAR_BLOCK, type TarHeader } from "./tar-header.ts";

/** Rules that differ between kinds of tar. */
export interface TarRules {
  /** Whether long names of GNU tar and global pax headers are read. If not, they are members, of a type that the caller refuses. */
  readonly extensions: boolean;
  /** Whether the padding of a member must be zeros. POSIX does not specify it. */
  readonly zeroPadding: boolean;
  /** Most bytes of a pax header or long name, which are held in memory. */
  readonly headerBytes: number;
  /** Most bytes of zeros behind the end mark: tar fills its last record. */
  readonly endBytes: number;
}

/** One member, unchecked. */
export interface TarMember extends Pick<TarHeader, "name" | "type" | "stored"> {
  /** Whether it has a map of holes: by type S, or by a pax header. */
  readonly isSparse: boolean;
  /** Call it at most once, and before the next member is requested. @throws BadTar for an invalid map */
  readonly content: () => Promise<TarContent>;
}

export interface TarContent {
  /** Bytes as unpacked. */
  readonly size: number;
  /** The unread rest is skipped when the next member is requested. Bytes are valid until the next piece is requested. */
  readonly pieces: AsyncIterable<Piece>;
}

/** A stretch of a member. Pieces come in order; for a hole, only its length is given. */
export type Piece = { readonly kind: "bytes"; readonly bytes: Uint8Array } | { readonly kind: "zeros"; readonly count: number };

/**
 * Reads a tar that may be hostile, member by member, from its first byte to its last. Only headers and maps are held in memory. The next
 * member is read when it is requested. Formats: GNU, ustar and pax, with sparse members in GNU's old format and in PAX 1.0.
 *
 * @throws BadTar, and every error of the source
 */
export async function* tarMembers(chunks: AsyncIterable<Uint8Array>, rules: TarRules): AsyncGenerator<TarMember> {
  const reader = new ByteReader(chunks);
  try {
    const globals = new Map<string, string>();
    for (let place = "its first header"; ; place = "a header, before the end mark") {
      const found = await nextHeader(reader, rules, globals, place);
      if (found === undefined) break;
      const { header, name, pax } = found;
      const stored = storedBytes(header, pax);
      let left = stored;
      const take = async function* (length: number): AsyncGenerator<Uint8Array> {
        for await (const piece of reader.pieces(length, name)) {
          left -= piece.length;
          yield piece;
        }
      };
      yield {
        name,
        type: header.type,
        stored,
        isSparse: header.type === "S" || isPaxSparse(pax),
        content: async () => {
          const map = await sparseMap({ ...header, stored }, pax, reader);
          left -= map?.mapBytes ?? 0;
          const size = map?.size ?? stored;
          return { size, pieces: piecesOf(size, map?.segments ?? [{ offset: 0, length: stored }], take) };
        },
      };
      if (left > 0) for await (const _ of take(left));
      await skipPadding(reader, stored, rules);
    }
    await readEnd(reader, rules.endBytes);
  } finally {
    await reader.close();
  }
}

interface Found {
  readonly header: TarHeader;
  readonly name: string;
  readonly pax: ReadonlyMap<string, string>;
}

/** A member's header, with the values of the extension headers before it. @returns `undefined` for the first block of the end mark */
async function nextHeader(reader: ByteReader, rules: TarRules, globals: Map<string, string>, place: string): Promise<Found | undefined> {
  let longName: string | undefined;
  let own: ReadonlyMap<string, string> | undefined;
  for (let at = place; ; at = "a header") {
    const block = await reader.exactly(TAR_BLOCK, at);
    if (at === place && isZero(block)) return undefined;
    const header = parseTarHeader(block, reader.offset - TAR_BLOCK);
    const isExtension = (header.type === "x" && own === undefined) || (rules.extensions && /[gLK]/.test(header.type));
    if (!isExtension) {
      const pax = new Map([...globals, ...(own ?? [])]);
      return { header, pax, name: pax.get("GNU.sparse.name") ?? pax.get("path") ?? longName ?? header.name };
    }
    const content = await extension(reader, header, rules);
    if (header.type === "x") own = parsePax(content);
    else if (header.type === "g") for (const [key, value] of parsePax(content)) globals.set(key, value);
    // Type K is the target of a link, and is ignored.
    else if (header.type === "L") longName = content.toString("utf8").split("\0")[0];
  }
}

async function extension(reader: ByteReader, { name, type, stored }: TarHeader, rules: TarRules): Promise<Buffer> {
  if (stored > rules.headerBytes) {
    const found = `a ${/[gx]/.test(type) ? "pax header" : "long name"} of ${stored} bytes`;
    throw badMember(name, found, `at most ${rules.headerBytes}`, "too-large");
  }
  const content = await reader.exactly(stored, "a pax header");
  await skipPadding(reader, stored, rules);
  return content;
}

/** A pax header may give the size, for example if it does not fit into the header's field. Two different sizes are refused. */
function storedBytes(header: TarHeader, pax: ReadonlyMap<string, string>): number {
  const size = pax.get("size");
  if (size === undefined) return header.stored;
  if (!/^\d{1,15}$/.test(size)) throw badMember(header.name, "a pax size that is no number");
  if (header.stored !== 0 && header.stored !== Number(size))
    throw badMember(header.name, `two sizes: ${header.stored} and ${size}`, "one size");
  return Number(size);
}

async function sparseMap(header: TarHeader, pax: ReadonlyMap<string, string>, reader: ByteReader): Promise<SparseMap | undefined> {
  if (header.type === "S") {
    if (isPaxSparse(pax)) throw badMember(header.name, "two sparse maps", "one");
    return oldGnuMap(header, reader);
  }
  if (!isPaxSparse(pax)) return undefined;
  const format = `${pax.get("GNU.sparse.major") ?? "0"}.${pax.get("GNU.sparse.minor") ?? "?"}`;
  if (format !== "1.0") throw badMember(header.name, `the sparse format ${format}`, "1.0, or the old format of GNU tar");
  const size = pax.get("GNU.sparse.realsize") ?? "";
  if (!/^\d{1,15}$/.test(size)) throw badMember(header.name, "a sparse file without its size", "GNU.sparse.realsize");
  return paxMap(header.name, header.stored, Number(size), reader);
}

function isPaxSparse(pax: ReadonlyMap<string, string>): boolean {
  return [...pax.keys()].some((key) => key.startsWith("GNU.sparse."));
}

async function* piecesOf(
  size: number,
  segments: readonly Segment[],
  take: (length: number) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Piece> {
  let end = 0;
  for (const { offset, length } of segments) {
    if (offset > end) yield { kind: "zeros", count: offset - end };
    for await (const bytes of take(length)) yield { kind: "bytes", bytes };
    end = offset + length;
  }
  if (size > end) yield { kind: "zeros", count: size - end };
}

async function skipPadding(reader: ByteReader, stored: number, { zeroPadding }: TarRules): Promise<void> {
  const padding = (TAR_BLOCK - (stored % TAR_BLOCK)) % TAR_BLOCK;
  if (padding === 0) return;
  const bytes = await reader.exactly(padding, "the padding of a member");
  if (!zeroPadding || isZero(bytes)) return;
  throw new BadTar("other", {
    code: "image-tar-damaged",
    what: `the tar is damaged at byte ${reader.offset - padding}`,
    found: "bytes that are not zero in the padding of a member",
    expected: "zeros",
  });
}

/** tar(5): "The end of the archive is indicated by two records consisting entirely of zero bytes." Other tools hide data behind it. */
async function readEnd(reader: ByteReader, most: number): Promise<void> {
  const end = reader.offset;
  const garbage = (found: string): BadTar =>
    new BadTar("other", {
      code: "data-behind-tar",
      what: `there is data after the end of the tar, at byte ${end}`,
      found,
      expected: "zeros, and the end of the file",
    });
  if (!isZero(await reader.exactly(TAR_BLOCK, "the end mark"))) throw garbage("a single block of zeros, and then more");
  for (let piece = await reader.some(most); piece !== undefined; piece = await reader.some(most)) {
    if (!isZero(piece)) throw garbage("bytes that are not zero");
    if (reader.offset - end > most) throw garbage(`more than ${most} bytes of padding`);
  }
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function badMember(name: string, found: string, expected?: string, fault: TarFault = "other"): BadTar {
  const rest = { found, ...(expected === undefined ? {} : { expected }) };
  return new BadTar(fault, { code: "tar-member-refused", what: `the member ${quoted(name)} is refused`, ...rest });
}
