import { ProblemError } from "../base/problem.ts";
import { TAR_BLOCK } from "./tar-header.ts";

export interface TarSource {
  /** The name of a folder ends with a slash. */
  readonly name: string;
  /** Absent for a folder. The size goes into the header, so the chunks must have exactly as many bytes. */
  readonly file?: { readonly size: number; readonly chunks: () => AsyncIterable<Uint8Array> };
}

/** Bytes of ustar's two fields for a name: the name, and the prefix before it (pax(1), "ustar Interchange Format"). */
const NAME = 100;
const PREFIX = 155;
/** One more than eleven octal digits can hold; no medium is as large. */
const MOST = 8 ** 11;

/**
 * A tar of files and folders that every tar program reads: ustar, with a pax header before a name that does not fit. The owner is root, the
 * modes are fixed and the time is a parameter, so that the same content gives the same bytes.
 *
 * @param time seconds since 1970
 */
export async function* tarOf(sources: Iterable<TarSource>, time: number): AsyncGenerator<Uint8Array> {
  for (const { name, file } of sources) {
    const { size = 0, chunks } = file ?? {};
    if (size >= MOST)
      throw new ProblemError({
        code: "too-large-for-tar",
        what: `${name} is too large for a tar`,
        found: `${size} bytes`,
        expected: `less than ${MOST}`,
      });
    const facts = { type: chunks === undefined ? "5" : "0", mode: chunks === undefined ? 0o755 : 0o644, size, time };
    const fitting = inFields(name);
    if (fitting === undefined) {
      const record = Buffer.from(paxPath(name));
      yield header({ name: "PaxHeader" }, { ...facts, type: "x", size: record.length });
      yield* [record, padding(record.length)];
    }
    yield header(fitting ?? { name: "PaxHeader" }, facts);
    let written = 0;
    for await (const chunk of chunks === undefined || size === 0 ? [] : chunks()) {
      written += chunk.length;
      if (written <= size) yield chunk;
    }
    if (written !== size)
      throw new ProblemError({
        code: "changed-while-read",
        what: `${name} changed while it was read`,
        found: `${written} bytes`,
        expected: `${size}`,
      });
    yield padding(size);
  }
  yield Buffer.alloc(2 * TAR_BLOCK);
}

interface NameFields {
  readonly name: string;
  readonly prefix?: string;
}

/** Splits a name into ustar's two fields. @returns `undefined` if it does not fit, or is not ASCII, for which ustar defines no encoding */
function inFields(whole: string): NameFields | undefined {
  if (/[^\x20-\x7e]/.test(whole)) return undefined;
  if (whole.length <= NAME) return { name: whole };
  const slash = whole.indexOf("/", whole.length - NAME - 1);
  const [prefix, name] = [whole.slice(0, Math.max(0, slash)), whole.slice(slash + 1)];
  return prefix === "" || name === "" || prefix.length > PREFIX ? undefined : { prefix, name };
}

function header(
  { name, prefix = "" }: NameFields,
  { type, mode, size, time }: { readonly type: string; readonly mode: number; readonly size: number; readonly time: number },
): Buffer {
  const block = Buffer.alloc(TAR_BLOCK);
  const number = (value: number, at: number, digits: number): void => void block.write(`${value.toString(8).padStart(digits, "0")} `, at);
  block.write(name, 0);
  number(mode, 100, 6);
  number(0, 108, 6);
  number(0, 116, 6);
  number(size, 124, 11);
  number(time, 136, 11);
  block.write(" ".repeat(8), 148);
  block.write(type, 156);
  block.write("ustar\x0000", 257);
  number(0, 329, 6);
  number(0, 337, 6);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")} \0`, 148);
  return block;
}

/** "LENGTH path=NAME\n", where the length includes its own digits. */
function paxPath(name: string): string {
  const rest = ` path=${name}\n`;
  const bytes = Buffer.byteLength(rest);
  const length = bytes + String(bytes + String(bytes).length).length;
  return `${length}${rest}`;
}

function padding(size: number): Buffer {
  return Buffer.alloc((TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK);
}
