import { quoted } from "../base/quoted.ts";
import { BadImage } from "../tar/bad-image.ts";
import { ByteReader } from "../tar/byte-reader.ts";
import { type Manifest, type MemberName, parseManifest } from "./manifest.ts";
import { parsePax } from "../tar/pax.ts";
import { oldGnuMap, paxMap, type SparseMap } from "../tar/sparse.ts";
import { parseTarHeader, TAR_BLOCK, type TarHeader, typeText } from "../tar/tar-header.ts";

/** Takes a member's content in order. What `write` is given is valid until its promise is settled. */
export interface MemberSink {
  write(bytes: Uint8Array): Promise<void>;
  zeros(count: number): Promise<void>;
  end(): Promise<void>;
}

/** Told of what is in an image, in the order in which it comes. What it throws ends the reading. */
export interface ImageVisitor {
  version(version: string): Promise<void>;
  manifest(manifest: Manifest): Promise<void>;
  /** @param bytes of the member as unpacked */
  member(name: MemberName, bytes: number): Promise<MemberSink>;
}

const NAMES = ["VERSION.TXT", "MANIFEST.json", "boot.img", "root.img"] as const;
type Name = (typeof NAMES)[number];
/** The manifest may be missing. */
const REQUIRED: readonly Name[] = ["VERSION.TXT", "boot.img", "root.img"];

const MAX_VERSION_BYTES = 4096;
/** A million chunks of 4 MiB, with their quotes and commas. */
const MAX_MANIFEST_BYTES = 8 * 1024 * 1024;
const MAX_PAX_BYTES = 64 * 1024;
/** Zeros behind the end mark: tar fills its last record, which `--blocking-factor` makes at most this long. */
const MAX_PADDING = 1024 * 1024;

/**
 * Reads an upgrade image, an unpacked tar, from its first byte to its last, and holds nothing of it but what is small.
 *
 * @param file what the image is called in messages
 * @throws BadImage, and what the visitor throws
 */
export async function readImage(tar: AsyncIterable<Uint8Array>, file: string, visitor: ImageVisitor): Promise<void> {
  const reader = new ByteReader(tar, file);
  const seen = new Set<Name>();
  const refuse = (name: string, found: string, expected?: string): BadImage =>
    new BadImage({
      code: "image-member-refused",
      what: `the member ${quoted(name)} is refused`,
      where: { file },
      found,
      ...(expected === undefined ? {} : { expected }),
    });
  const take = (raw: string): Name => {
    if (raw.split("/").includes("..")) throw refuse(raw, "a name with .. in it", NAMES.join(", "));
    if (raw.startsWith("/")) throw refuse(raw, "an absolute name", NAMES.join(", "));
    const name = NAMES.find((known) => raw === known || raw === `./${known}`);
    if (name === undefined) throw refuse(raw, "a member that does not belong into an image", NAMES.join(", "));
    if (seen.has(name)) throw refuse(raw, "the same name for the second time", "each member once");
    seen.add(name);
    return name;
  };
  const text = async (name: Name, map: SparseMap | undefined, stored: number, most: number): Promise<Buffer> => {
    if (map !== undefined) throw refuse(name, "a sparse file", "a plain one");
    if (stored > most) throw refuse(name, `${stored} bytes`, `at most ${most}`);
    return reader.exactly(stored, name);
  };
  const member = async (name: Name, map: SparseMap | undefined, stored: number): Promise<void> => {
    switch (name) {
      case "VERSION.TXT":
        return visitor.version(parseVersion(await text(name, map, stored, MAX_VERSION_BYTES), file));
      case "MANIFEST.json":
        return visitor.manifest(parseManifest((await text(name, map, stored, MAX_MANIFEST_BYTES)).toString("utf8"), file));
      case "boot.img":
      case "root.img": {
        const size = map?.size ?? stored;
        if (size === 0) throw refuse(name, "an empty file", "the image of a partition");
        const sink = await visitor.member(name, size);
        for (const { offset, length, before } of stretches(map, stored)) {
          if (offset > before) await sink.zeros(offset - before);
          for (let left = length; left > 0;) {
            const piece = await reader.some(left);
            if (piece === undefined) throw reader.cutOff(name);
            left -= piece.length;
            await sink.write(piece);
          }
        }
        return sink.end();
      }
    }
  };

  for (;;) {
    const block = await reader.exactly(TAR_BLOCK, seen.size === 0 ? "its first header" : "a header, before the end mark");
    if (isZero(block)) break;
    let header = parseTarHeader(block, file, reader.offset - TAR_BLOCK);
    let pax: ReadonlyMap<string, string> = new Map();
    if (header.type === "x") {
      if (header.stored > MAX_PAX_BYTES) throw refuse(header.name, `a pax header of ${header.stored} bytes`, `at most ${MAX_PAX_BYTES}`);
      pax = parsePax(await reader.exactly(header.stored, "a pax header"), file);
      await skipPadding(reader, header.stored, file);
      header = parseTarHeader(await reader.exactly(TAR_BLOCK, "a header"), file, reader.offset - TAR_BLOCK);
    }
    if (isTheFolderItself(header)) continue;
    if (header.type !== "0" && header.type !== "S") throw refuse(header.name, typeText(header.type), "a regular file");
    const name = take(pax.get("GNU.sparse.name") ?? pax.get("path") ?? header.name);
    const stored = storedBytes(header, pax, refuse);
    const map = await sparseMap({ ...header, stored }, pax, reader, file, refuse);
    await member(name, map, stored);
    await skipPadding(reader, stored, file);
  }
  await readEnd(reader, file);
  const missing = REQUIRED.filter((name) => !seen.has(name));
  if (missing.length > 0) {
    throw new BadImage({
      code: "image-not-complete",
      what: "the image is not complete",
      where: { file },
      found: `no ${missing.join(" and no ")}`,
      expected: REQUIRED.join(", "),
    });
  }
}

type Refuse = (name: string, found: string, expected?: string) => BadImage;

/** Where what is stored lies in the member, and where the stretch before it ended. The last one is empty and stands at the end. */
function stretches(
  map: SparseMap | undefined,
  stored: number,
): readonly { readonly offset: number; readonly length: number; readonly before: number }[] {
  if (map === undefined) return [{ offset: 0, length: stored, before: 0 }];
  const all = [...map.segments, { offset: map.size, length: 0 }];
  return all.map((segment, index) => {
    const previous = all[index - 1];
    return { ...segment, before: previous === undefined ? 0 : previous.offset + previous.length };
  });
}

/** `tar -C folder .` begins with the folder itself. */
function isTheFolderItself({ type, name, stored }: TarHeader): boolean {
  return type === "5" && (name === "./" || name === ".") && stored === 0;
}

/** A pax header may give the size again, where it does not fit the other field; it may not give another one. */
function storedBytes(header: TarHeader, pax: ReadonlyMap<string, string>, refuse: Refuse): number {
  const size = pax.get("size");
  if (size === undefined) return header.stored;
  if (!/^\d{1,15}$/.test(size)) throw refuse(header.name, "a pax size that is no number");
  if (header.stored !== 0 && header.stored !== Number(size))
    throw refuse(header.name, `two sizes: ${header.stored} and ${size}`, "one size");
  return Number(size);
}

async function sparseMap(
  header: TarHeader,
  pax: ReadonlyMap<string, string>,
  reader: ByteReader,
  file: string,
  refuse: Refuse,
): Promise<SparseMap | undefined> {
  const isPaxSparse = [...pax.keys()].some((key) => key.startsWith("GNU.sparse."));
  if (header.type === "S") {
    if (isPaxSparse) throw refuse(header.name, "two sparse maps", "one");
    return oldGnuMap(header, reader, file);
  }
  if (!isPaxSparse) return undefined;
  const format = `${pax.get("GNU.sparse.major") ?? "0"}.${pax.get("GNU.sparse.minor") ?? "?"}`;
  if (format !== "1.0") throw refuse(header.name, `the sparse format ${format}`, "1.0, or the old format of GNU tar");
  const size = pax.get("GNU.sparse.realsize") ?? "";
  if (!/^\d{1,15}$/.test(size)) throw refuse(header.name, "a sparse file without its size", "GNU.sparse.realsize");
  return paxMap(header.name, header.stored, Number(size), reader, file);
}

/** One line: what `upgrade current` shows, and what grub and metrics are given. */
function parseVersion(content: Buffer, file: string): string {
  const version = content.toString("latin1").replace(/\r?\n$/, "");
  if (/^[\x21-\x7e]{1,256}$/.test(version)) return version;
  throw new BadImage({
    code: "version-not-valid",
    what: "VERSION.TXT is not valid",
    where: { file },
    found: quoted(version),
    expected: "one line of up to 256 printable characters without blanks",
  });
}

async function skipPadding(reader: ByteReader, stored: number, file: string): Promise<void> {
  const padding = (TAR_BLOCK - (stored % TAR_BLOCK)) % TAR_BLOCK;
  if (isZero(await reader.exactly(padding, "the padding of a member"))) return;
  throw new BadImage({
    code: "image-tar-damaged",
    what: `the tar is damaged at byte ${reader.offset - padding}`,
    where: { file },
    found: "something in the padding of a member",
    expected: "zeros",
  });
}

/** tar(5): "The end of the archive is indicated by two records consisting entirely of zero bytes." */
async function readEnd(reader: ByteReader, file: string): Promise<void> {
  const end = reader.offset;
  const garbage = (found: string): BadImage =>
    new BadImage({
      code: "data-behind-tar",
      what: `there is something behind the end of the tar, at byte ${end}`,
      where: { file },
      found,
      expected: "zeros, and the end of the file",
    });
  if (!isZero(await reader.exactly(TAR_BLOCK, "the end mark"))) throw garbage("a single block of zeros, and then more");
  for (let piece = await reader.some(MAX_PADDING); piece !== undefined; piece = await reader.some(MAX_PADDING)) {
    if (!isZero(piece)) throw garbage("bytes that are not zero");
    if (reader.offset - end > MAX_PADDING) throw garbage(`more than ${MAX_PADDING} bytes of padding`);
  }
}

export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
