import { quoted } from "../base/quoted.ts";
import { BadTar } from "./bad-tar.ts";

/** Bytes of a tar block (tar(5)). A tar consists of whole blocks. */
export const TAR_BLOCK = 512;

export interface TarHeader {
  /** As stored, and not checked. */
  readonly name: string;
  /** The type flag (tar(5)): "0" a regular file, also for the NUL of old archives, "5" a folder, "S" a sparse file of GNU tar. */
  readonly type: string;
  /** Bytes that follow the header, without padding. */
  readonly stored: number;
  readonly block: Buffer;
}

/** Parses one header strictly. @param offset of the header in the tar, in bytes. @throws BadTar if the block is no valid header */
export function parseTarHeader(block: Buffer, offset: number): TarHeader {
  const bad = (found: string, expected: string): BadTar =>
    new BadTar("header", {
      code: "tar-header-damaged",
      what: `there is no valid tar header at byte ${offset} of the tar`,
      found,
      expected,
    });
  const magic = block.toString("latin1", 257, 265);
  const written = numberField(block, 148, 8);
  // The checksum field itself counts as blanks (tar(5)).
  const sum = sumOf(block.subarray(0, 148)) + 8 * 0x20 + sumOf(block.subarray(156));
  if (written !== sum) throw bad(`a checksum of ${written ?? "no number"}`, String(sum));
  const isGnu = magic === "ustar  \0";
  // POSIX requires "00" behind the mark, but some programs write nothing there.
  if (!isGnu && !magic.startsWith("ustar\0")) throw bad(`the mark ${quoted(magic)}`, "a ustar or GNU tar");
  const stored = numberField(block, 124, 12);
  if (stored === undefined) throw bad("a size that is no number", "an octal number");
  const prefix = isGnu ? "" : textField(block, 345, 155);
  const name = textField(block, 0, 100);
  const type = block.toString("latin1", 156, 157);
  return { name: prefix === "" ? name : `${prefix}/${name}`, type: type === "\0" ? "0" : type, stored, block };
}

/** A loop, because `reduce` takes twice as long, and a medium may have a hundred thousand headers. */
function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  return sum;
}

function textField(block: Buffer, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? length : end);
}

/** Parses octal digits, or GNU's base-256 for larger numbers. @returns `undefined` for no number, or one that is no safe integer */
export function numberField(block: Buffer, offset: number, length: number): number | undefined {
  const field = block.subarray(offset, offset + length);
  if (field[0] === 0x80) {
    const value = field.subarray(1).reduce((total, byte) => total * 256 + byte, 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const digits = /^ *([0-7]+)[ \0]*$/.exec(field.toString("latin1"))?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}
