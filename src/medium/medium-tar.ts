import { createHash } from "node:crypto";
import { type Problem, ProblemError } from "../base/problem.ts";
import { counted, quoted } from "../base/quoted.ts";
import { BadTar, type TarFault } from "../tar/bad-tar.ts";
import { tarMembers, type TarMember, type TarRules } from "../tar/tar-reader.ts";

/** Size limits of a tar from outside, and of its entries. */
export interface TarLimits {
  /** Bytes of the tar itself. */
  readonly tarBytes: number;
  /** Files and folders, also folders that exist only as a part of another name. */
  readonly entries: number;
  /** Bytes of a whole name; `nameBytes` limits each part of it. */
  readonly pathBytes: number;
  readonly nameBytes: number;
  /** Folders within folders. */
  readonly depth: number;
}

export interface TarEntry {
  readonly kind: "file" | "folder";
  /** Relative, without `.`, `..` and empty parts. */
  readonly name: string;
  /** Bytes; 0 for a folder. */
  readonly size: number;
  /** Can be read once, and only while the entry is visited. The unread rest is skipped. */
  readonly content: AsyncIterable<Uint8Array>;
}

export interface TarSummary {
  /** Digest of the whole tar, from its first byte to its last. */
  readonly sha256: string;
  readonly bytes: number;
  /** Every folder, also one without an entry of its own. */
  readonly folders: readonly string[];
}

/** Accepts the output of common tar programs: also long names, the global header of `git archive`, and any padding. */
const RULES: Omit<TarRules, "endBytes"> = { extensions: true, zeroPadding: false, headerBytes: 4 * 1024 * 1024 };

/**
 * Reads a tar that may be hostile, entry by entry, without holding its content in memory.
 *
 * It accepts only regular files and folders with plain relative names. Every other entry is refused, even one that would be ignored later.
 * Our tool never puts a link or a device into a tar, so the purpose of such a tar is unknown.
 *
 * @param file the tar's name in error messages
 * @throws ProblemError that names the entry, and every error of a visitor
 */
export async function readTar(
  source: AsyncIterable<Uint8Array>,
  file: string,
  limits: TarLimits,
  visit: (entry: TarEntry) => Promise<void>,
): Promise<TarSummary> {
  const hash = createHash("sha256");
  let bytes = 0;
  const counting = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > limits.tarBytes) throw tooLarge(file, limits.tarBytes);
      hash.update(chunk);
      yield chunk;
    }
  };
  const names = new Names(file, limits);
  try {
    for await (const member of tarMembers(counting(), { ...RULES, endBytes: limits.tarBytes })) {
      const kind = entryKind(member, file);
      const name = names.add(member.name, kind);
      if (name !== "") await visit({ kind, name, size: member.stored, content: contentOf(member, file) });
    }
  } catch (error) {
    throw asProblem(error, file);
  }
  return { sha256: hash.digest("hex"), bytes, folders: names.folders() };
}

function entryKind({ name, type, stored, isSparse }: TarMember, file: string): "file" | "folder" {
  const refuse = (found: string): ProblemError => refusedEntry(name, file, found, "a regular file or a folder");
  // Before POSIX, a folder was a file with a name that ends with a slash.
  if (type === "5" || (type === "0" && name.endsWith("/"))) {
    if (stored !== 0) throw refuse(`a folder with a size of ${stored} bytes`);
    return "folder";
  }
  if (type !== "0") throw refuse(TYPES[type] ?? "an entry of an unknown type");
  if (isSparse) throw refuse("a sparse file");
  return "file";
}

const TYPES: Readonly<Record<string, string>> = {
  1: "a hard link",
  2: "a symbolic link",
  3: "a character device",
  4: "a block device",
  6: "a fifo",
  7: "a contiguous file",
};

async function* contentOf(member: TarMember, file: string): AsyncIterable<Uint8Array> {
  try {
    for await (const piece of (await member.content()).pieces) if (piece.kind === "bytes") yield piece.bytes;
  } catch (error) {
    // Converted here too, because the visitor receives this error first and may handle it.
    throw asProblem(error, file);
  }
}

/** The remedy for every fault of a tar. */
export const REBUILD = "build the medium again with guestos-boot (docs/configuration.md)";

/** @param file the medium's name */
export function refusedEntry(name: string, file: string, found: string, expected: string): ProblemError {
  return new ProblemError({
    ...{ code: "tar-entry-refused", what: `the entry ${quoted(name)} is refused` },
    ...{ where: { file }, found, expected, todo: REBUILD },
  });
}

const FAULTS: Readonly<Record<TarFault, string>> = {
  "cut-off": "Unexpected end of data: ",
  header: "Invalid tar header: ",
  "too-large": "what exceeds a limit: ",
  other: "",
};

/** An error of the visitor (such as a full disk) or of the source is no fault of the tar, and is passed on unchanged. */
function asProblem(error: unknown, file: string): unknown {
  if (!(error instanceof BadTar)) return error;
  const { what, found } = error.problem;
  return new ProblemError(
    {
      code: "tar-damaged",
      what: "the tar is damaged or cut off",
      where: { file },
      found: `${FAULTS[error.fault]}${what}, ${found}`,
      expected: "an uncompressed tar, whole",
      todo: REBUILD,
    },
    { cause: error },
  );
}

function tooLarge(file: string, most: number): ProblemError {
  return new ProblemError({
    code: "tar-too-large",
    what: "the tar is too large",
    ...beyond(file, most),
  });
}

export function beyond(file: string, most: number): Pick<Problem, "where" | "found" | "expected" | "todo"> {
  return { where: { file }, found: `more than ${most} bytes`, expected: `at most ${most} bytes`, todo: REBUILD };
}

/** Names seen so far, and the kind of each one. Every name is checked before it is used. */
export class Names {
  readonly #file: string;
  readonly #limits: TarLimits;
  readonly #kinds = new Map<string, "file" | "folder" | "implied">();

  constructor(file: string, limits: TarLimits) {
    this.#file = file;
    this.#limits = limits;
  }

  /** Checks a name and records it. @returns its plain form, "" for the root */
  add(raw: string, kind: "file" | "folder"): string {
    const name = this.#plain(raw);
    if (name === "") {
      if (kind === "file") throw this.#refuse(raw, "a file without a name", "a name");
      return name;
    }
    const earlier = this.#kinds.get(name);
    if (earlier !== undefined && !(earlier === "implied" && kind === "folder")) {
      throw this.#refuse(
        name,
        earlier === "implied" ? "a file where other entries have a folder" : "the same name twice",
        "each name once",
      );
    }
    this.#kinds.set(name, kind);
    for (let slash = name.lastIndexOf("/"); slash > 0; slash = name.lastIndexOf("/", slash - 1)) {
      const parent = name.slice(0, slash);
      const known = this.#kinds.get(parent);
      if (known === "file") throw this.#refuse(name, `${quoted(parent)}, which is a file, used as a folder`, "a folder");
      if (known === undefined) this.#kinds.set(parent, "implied");
    }
    if (this.#kinds.size > this.#limits.entries)
      throw this.#refuse(name, `more than ${this.#limits.entries} entries`, `at most ${this.#limits.entries}`);
    return name;
  }

  folders(): readonly string[] {
    return [...this.#kinds].filter(([, kind]) => kind !== "file").map(([name]) => name);
  }

  #plain(raw: string): string {
    const { pathBytes, nameBytes, depth } = this.#limits;
    if (raw.length > pathBytes) throw this.#refuse(raw, `a name of ${raw.length} bytes`, `at most ${pathBytes}`);
    // This includes bytes that are not UTF-8: the decoder has replaced them by a replacement character.
    if (/[^\x20-\x7e]/.test(raw)) throw this.#refuse(raw, "a control character, or one that is not ASCII, in the name", "printable ASCII");
    if (raw.startsWith("/")) throw this.#refuse(raw, "an absolute name", "a name relative to the tar");
    const parts = raw.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.includes("..")) throw this.#refuse(raw, "a name with .. in it", "a name that stays inside of the tar");
    if (parts.some((part) => part.length > nameBytes))
      throw this.#refuse(raw, `a part of more than ${nameBytes} bytes`, `at most ${nameBytes}`);
    if (parts.length > depth) throw this.#refuse(raw, counted(parts.length, "folder", "folders within each other"), `at most ${depth}`);
    return parts.join("/");
  }

  #refuse(name: string, found: string, expected: string): ProblemError {
    return refusedEntry(name, this.#file, found, expected);
  }
}
