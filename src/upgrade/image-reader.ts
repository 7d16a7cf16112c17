import { quoted } from "../base/quoted.ts";
import { BadTar } from "../tar/bad-tar.ts";
import { tarMembers, type TarMember, type TarRules } from "../tar/tar-reader.ts";
import { BadImage } from "./bad-image.ts";
import { type Manifest, type MemberName, parseManifest } from "./manifest.ts";

/** Takes a member's content in order. The bytes given to `write` are valid until its promise is settled. */
export interface MemberSink {
  write(bytes: Uint8Array): Promise<void>;
  zeros(count: number): Promise<void>;
  end(): Promise<void>;
}

/** Called for the parts of an image, in their order. An error ends the reading. */
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
/** Anything not needed for an image's four names is refused. `tar --blocking-factor` makes the last record at most 1 MiB long. */
const RULES: TarRules = { extensions: false, zeroPadding: true, headerBytes: 64 * 1024, endBytes: 1024 * 1024 };

/**
 * Reads an upgrade image, an unpacked tar, from its first byte to its last. It keeps only small parts in memory.
 *
 * @throws BadImage, and the visitor's errors
 */
export async function readImage(tar: AsyncIterable<Uint8Array>, visitor: ImageVisitor): Promise<void> {
  const seen = new Set<Name>();
  try {
    for await (const member of tarMembers(tar, RULES)) {
      if (isTheFolderItself(member)) continue;
      if (member.type !== "0" && member.type !== "S") throw refused(member.name, typeText(member.type), "a regular file");
      const name = knownName(member.name, seen);
      seen.add(name);
      await readMember(name, member, visitor);
    }
  } catch (error) {
    if (!(error instanceof BadTar)) throw error;
    throw new BadImage(error.fault === "cut-off" ? { ...error.problem, what: "the image is cut off" } : error.problem, error);
  }
  const missing = REQUIRED.filter((name) => !seen.has(name));
  if (missing.length === 0) return;
  throw new BadImage({
    code: "image-not-complete",
    what: "the image is not complete",
    found: `no ${missing.join(" and no ")}`,
    expected: REQUIRED.join(", "),
  });
}

function knownName(raw: string, seen: ReadonlySet<Name>): Name {
  if (raw.split("/").includes("..")) throw refused(raw, "a name with .. in it", NAMES.join(", "));
  if (raw.startsWith("/")) throw refused(raw, "an absolute name", NAMES.join(", "));
  const name = NAMES.find((known) => raw === known || raw === `./${known}`);
  if (name === undefined) throw refused(raw, "a member that is not part of an image", NAMES.join(", "));
  if (seen.has(name)) throw refused(raw, "the same name for the second time", "each member once");
  return name;
}

async function readMember(name: Name, member: TarMember, visitor: ImageVisitor): Promise<void> {
  switch (name) {
    case "VERSION.TXT":
      return visitor.version(parseVersion(await smallText(name, member, MAX_VERSION_BYTES)));
    case "MANIFEST.json":
      return visitor.manifest(parseManifest((await smallText(name, member, MAX_MANIFEST_BYTES)).toString("utf8")));
    case "boot.img":
    case "root.img":
      return partition(name, member, visitor);
  }
}

async function partition(name: MemberName, member: TarMember, visitor: ImageVisitor): Promise<void> {
  const { size, pieces } = await member.content();
  if (size === 0) throw refused(name, "an empty file", "the image of a partition");
  const sink = await visitor.member(name, size);
  for await (const piece of pieces) await (piece.kind === "bytes" ? sink.write(piece.bytes) : sink.zeros(piece.count));
  await sink.end();
}

async function smallText(name: Name, member: TarMember, most: number): Promise<Buffer> {
  if (member.isSparse) throw refused(name, "a sparse file", "a regular file");
  if (member.stored > most) throw refused(name, `${member.stored} bytes`, `at most ${most}`);
  const text = Buffer.alloc(member.stored);
  let length = 0;
  for await (const piece of (await member.content()).pieces) {
    if (piece.kind !== "bytes") continue;
    text.set(piece.bytes, length);
    length += piece.bytes.length;
  }
  return text;
}

/** `tar -C folder .` begins with the folder itself. */
function isTheFolderItself({ type, name, stored }: TarMember): boolean {
  return type === "5" && (name === "./" || name === ".") && stored === 0;
}

/** One line: `upgrade current` shows it, and grub and the metrics use it. */
function parseVersion(content: Buffer): string {
  const version = content.toString("latin1").replace(/\r?\n$/, "");
  if (/^[\x21-\x7e]{1,256}$/.test(version)) return version;
  throw new BadImage({
    code: "version-not-valid",
    what: "VERSION.TXT is not valid",
    found: quoted(version),
    expected: "one line of up to 256 printable characters without blanks",
  });
}

function refused(name: string, found: string, expected: string): BadImage {
  return new BadImage({ code: "tar-member-refused", what: `the member ${quoted(name)} is refused`, found, expected });
}

function typeText(type: string): string {
  switch (type) {
    case "1":
      return "a hard link";
    case "2":
      return "a symbolic link";
    case "3":
    case "4":
      return "a device";
    case "5":
      return "a folder";
    case "6":
      return "a FIFO";
    case "g":
      return "a global pax header";
    case "L":
    case "K":
      return "a long name";
    default:
      return `a member of type ${quoted(type)}`;
  }
}
