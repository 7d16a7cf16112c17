import { createHash } from "node:crypto";
import type { Extract } from "tar-stream";
import { z } from "../base/schema.ts";
import { foreignWords } from "../base/foreign-words.ts";
import { ProblemError } from "../base/problem.ts";
import { counted, quoted } from "../base/quoted.ts";

/** How large a tar from outside may be, and everything in it. */
export interface TarLimits {
  /** Bytes of the tar itself. */
  readonly tarBytes: number;
  /** Files and folders, also those folders that are only there as part of another name. */
  readonly entries: number;
  /** Bytes of a whole name, and of each part of it. */
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
  /** May be read once, and while the entry is visited; what is left is skipped. */
  readonly content: AsyncIterable<Uint8Array>;
}

export interface TarSummary {
  /** Of the whole tar, from its first byte to its last. */
  readonly sha256: string;
  readonly bytes: number;
  /** Every folder, also those that have no entry of their own. */
  readonly folders: readonly string[];
}

const BLOCK = 512;

/**
 * Reads a tar that may be hostile, entry by entry, without holding any of it.
 *
 * Only regular files and folders with plain relative names pass. Everything else is refused, also where it would be
 * ignored later: a tar with a link or a device in it was not made by our tool, and nobody knows what else it is meant to do.
 *
 * @param file what the tar is called in error messages
 * @throws ProblemError naming the entry, and what a visitor throws
 */
export async function readTar(
  source: AsyncIterable<Uint8Array>,
  file: string,
  limits: TarLimits,
  visit: (entry: TarEntry) => Promise<void>,
): Promise<TarSummary> {
  // Only where there is a tar: a boot with nothing to do has none, and loading it is a tenth of the program's start.
  const { extract } = await import("tar-stream");
  const extraction = extract();
  const feed = new Feed(source, extraction, file, limits);
  const names = new Names(file, limits);
  const feeding = feed.run();
  // Awaited below; until then its error has reached the reading side as well, which is where it is thrown.
  feeding.catch(() => undefined);
  const asProblem = (error: unknown): Error => feed.failure ?? (error instanceof ProblemError ? error : damaged(file, wordsOf(error)));
  let end = 0;
  let visiting = false;
  try {
    for await (const entry of extraction) {
      const header = RawHeader.parse(entry.header);
      const kind = entryKind(header, file);
      const name = names.add(header, kind);
      end = header.byteOffset + Math.ceil(header.size / BLOCK) * BLOCK;
      visiting = name !== "";
      if (visiting) await visit({ kind, name, size: header.size, content: kind === "file" ? contentOf(entry, asProblem) : nothing() });
      visiting = false;
      entry.resume();
    }
    await feeding;
  } catch (error) {
    extraction.destroy();
    // A visitor's own trouble (a full disk, say) is not the tar's.
    if (visiting) throw error;
    throw asProblem(error);
  }
  return { ...feed.summary(end), folders: names.folders() };
}

/** What tar-stream found in a header. Its own types leave out where the content begins, and say nothing of types it does not know. */
const RawHeader = z.object({
  name: z.string(),
  size: z.int().nonnegative(),
  type: z.string().nullable(),
  byteOffset: z.int(),
  pax: z.record(z.string(), z.unknown()).nullish(),
});
type RawHeader = z.infer<typeof RawHeader>;

function entryKind(header: RawHeader, file: string): "file" | "folder" {
  const { type, size } = header;
  const refuse = (found: string): ProblemError =>
    new ProblemError({
      code: "tar-entry-refused",
      what: `the entry ${quoted(header.name)} is refused`,
      where: { file },
      found,
      expected: "a regular file or a folder",
      todo: REBUILD,
    });
  if (type === "directory") {
    // A folder has no content; tar-stream would never end the stream of one that claims to.
    if (size !== 0) throw refuse(`a folder with a size of ${size} bytes`);
    return "folder";
  }
  if (type !== "file") throw refuse(typeText(type));
  const sparse = Object.keys(header.pax ?? {}).some((key) => key.startsWith("GNU.sparse"));
  if (sparse) throw refuse("a sparse file");
  return "file";
}

function typeText(type: string | null): string {
  switch (type) {
    case "symlink":
      return "a symbolic link";
    case "link":
      return "a hard link";
    case "character-device":
    case "block-device":
    case "fifo":
    case "contiguous-file":
      return `a ${type.replaceAll("-", " ")}`;
    default:
      return "an entry of a type that nobody knows";
  }
}

async function* nothing(): AsyncIterable<Uint8Array> {}

async function* contentOf(entry: AsyncIterable<unknown>, asProblem: (error: unknown) => Error): AsyncIterable<Uint8Array> {
  try {
    for await (const chunk of entry) if (chunk instanceof Uint8Array) yield chunk;
  } catch (error) {
    throw asProblem(error);
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof z.ZodError) return "a header that makes no sense";
  return foreignWords(error);
}

/** What helps against everything that is wrong with a tar. */
export const REBUILD = "build the medium anew with guestos-boot (docs/configuration.md)";

function damaged(file: string, found: string): ProblemError {
  return new ProblemError({
    code: "tar-damaged",
    what: "the tar is damaged or cut off",
    where: { file },
    found,
    expected: "an uncompressed tar, whole",
    todo: REBUILD,
  });
}

/** Names seen so far, and what each one is. */
class Names {
  readonly #file: string;
  readonly #limits: TarLimits;
  readonly #kinds = new Map<string, "file" | "folder" | "implied">();

  constructor(file: string, limits: TarLimits) {
    this.#file = file;
    this.#limits = limits;
  }

  /** Checks a name and takes it in. @returns it in its plain form, "" for the root */
  add(header: RawHeader, kind: "file" | "folder"): string {
    const name = this.#plain(header.name);
    if (name === "") {
      if (kind === "file") throw this.#refuse(header.name, "a file without a name", "a name");
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
    // Also what is not UTF-8: the decoder has put a replacement character there.
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
    return new ProblemError({
      code: "tar-entry-refused",
      what: `the entry ${quoted(name)} is refused`,
      where: { file: this.#file },
      found,
      expected,
      todo: REBUILD,
    });
  }
}

/** Hands the bytes to the extraction, no faster than they are read there, and takes their digest on the way. */
class Feed {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #extraction: Extract;
  readonly #file: string;
  readonly #limits: TarLimits;
  readonly #hash = createHash("sha256");
  #bytes = 0;
  #tail = Buffer.alloc(0);
  /** What went wrong on this side; the other side only sees a stream that ended. */
  failure: Error | undefined;

  constructor(source: AsyncIterable<Uint8Array>, extraction: Extract, file: string, limits: TarLimits) {
    this.#source = source;
    this.#extraction = extraction;
    this.#file = file;
    this.#limits = limits;
  }

  async run(): Promise<void> {
    let closed = false;
    const { promise: close, resolve } = Promise.withResolvers<void>();
    this.#extraction.on("close", () => {
      closed = true;
      resolve();
    });
    try {
      for await (const chunk of this.#source) {
        if (closed) return;
        this.#take(chunk);
        const { promise: drain, resolve: drained } = Promise.withResolvers<void>();
        this.#extraction.once("drain", drained);
        if (!this.#extraction.write(chunk)) await Promise.race([drain, close]);
        this.#extraction.off("drain", drained);
      }
      this.#extraction.end(undefined);
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      this.#extraction.destroy(this.failure);
      throw this.failure;
    }
  }

  #take(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limits.tarBytes) {
      throw new ProblemError({
        code: "tar-too-large",
        what: "the tar is too large",
        where: { file: this.#file },
        found: `more than ${this.#limits.tarBytes} bytes`,
        expected: `at most ${this.#limits.tarBytes} bytes`,
        todo: REBUILD,
      });
    }
    this.#hash.update(chunk);
    this.#tail = Buffer.concat([this.#tail, chunk.subarray(-2 * BLOCK)]).subarray(-2 * BLOCK);
  }

  /** @throws ProblemError when the tar does not end as tars do: cut off between two entries it would look whole */
  summary(end: number): { readonly sha256: string; readonly bytes: number } {
    const ended = this.#bytes - end >= 2 * BLOCK && this.#tail.every((byte) => byte === 0);
    // tar(5): "The end of the archive is indicated by two records consisting entirely of zero bytes."
    if (!ended) throw damaged(this.#file, this.#bytes === 0 ? "an empty file" : `no end mark after ${this.#bytes} bytes`);
    return { sha256: this.#hash.digest("hex"), bytes: this.#bytes };
  }
}
