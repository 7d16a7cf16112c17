import { quoted } from "../base/quoted.ts";
import { BadImage } from "./bad-image.ts";

/** Bytes of a tar block (tar(5)); everything in a tar is a whole number of them. */
export const TAR_BLOCK = 512;

export interface TarHeader {
  /** As it stands there; not yet judged. */
  readonly name: string;
  /** The type flag as a character; "0" for the NUL of old archives. */
  readonly type: string;
  /** Bytes that follow the header, without padding. */
  readonly stored: number;
  readonly block: Buffer;
}

/**
 * Reads one header, strictly. tar-stream, which the bootstrap tar goes through, does not know GNU sparse members, whose maps
 * go on in blocks of their own; images are made of those.
 *
 * @param file what the image is called in messages
 * @param offset of the header in the tar, in bytes
 * @throws BadImage for what is no header
 */
export function parseTarHeader(block: Buffer, file: string, offset: number): TarHeader {
  const bad = (found: string, expected: string): BadImage =>
    new BadImage({
      code: "tar-header-damaged",
      what: `there is no valid tar header at byte ${offset} of the tar`,
      where: { file },
      found,
      expected,
    });
  const magic = block.toString("latin1", 257, 265);
  const written = numberField(block, 148, 8);
  // The field itself counts as blanks.
  const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  if (written !== sum) throw bad(`a checksum of ${written ?? "no number"}`, String(sum));
  const isGnu = magic === "ustar  \0";
  if (!isGnu && magic !== "ustar\x0000") throw bad(`the mark ${quoted(magic)}`, "a ustar or GNU tar");
  const stored = numberField(block, 124, 12);
  if (stored === undefined) throw bad("a size that is no number", "an octal number");
  const prefix = isGnu ? "" : textField(block, 345, 155);
  const name = textField(block, 0, 100);
  const type = block.toString("latin1", 156, 157);
  return { name: prefix === "" ? name : `${prefix}/${name}`, type: type === "\0" ? "0" : type, stored, block };
}

function textField(block: Buffer, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString("latin1", 0, end === -1 ? length : end);
}

/** Octal digits, or GNU's base-256 for what has too many of them. @returns `undefined` for what is no number, or none that can be counted with */
export function numberField(block: Buffer, offset: number, length: number): number | undefined {
  const field = block.subarray(offset, offset + length);
  if (field[0] === 0x80) {
    const value = field.subarray(1).reduce((total, byte) => total * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const digits = /^ *([0-7]+)[ \0]*$/.exec(field.toString("latin1"))?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}

/** What a member of that type would be, for "expected a regular file". */
export function typeText(type: string): string {
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
