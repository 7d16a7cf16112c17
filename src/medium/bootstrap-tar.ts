import { createHash } from "node:crypto";
import { ProblemError } from "../base/problem.ts";
import { bootstrapEntry, type ConfigFile, type MediumContents, type Taken, topLevelEntries } from "./medium-contents.ts";
import type { MediumReader } from "./medium-source.ts";
import { quoted } from "../base/quoted.ts";
import type { Secret } from "../base/secret.ts";
import { readTar, REBUILD, refusedEntry, type TarEntry, type TarLimits } from "./medium-tar.ts";
import { LONGEST_TEXT } from "../config/text/text-lines.ts";
import { tidied, type Tidied } from "../config/text/tidied.ts";
import { TreeDigest } from "./tree-digest.ts";

/** The bounds of ic-bootstrap.tar; docs/configuration.md lists them with their reasons. */
export const bootstrapLimits: TarLimits = {
  // The largest file that fits on VFAT.
  tarBytes: 4 * 1024 ** 3 - 1,
  entries: 100_000,
  pathBytes: 512,
  // NAME_MAX of ext4 and xfs.
  nameBytes: 255,
  depth: 32,
};

/** A data file or tree of a tar: on a GuestOS, it goes below /var/lib/ic. */
export interface DataItem {
  /** "nns_public_key.pem", "ic_state", "ic_crypto/node": a file or tree that is put into place as a whole. */
  readonly target: string;
  /** See TreeDigest. */
  readonly digest: string;
}

/** The content of a tar that was read and checked as a whole. */
export interface Inspection {
  readonly sha256: string;
  /** Content of the files for the config partition, by their names in the tar. */
  readonly config: ReadonlyMap<string, Uint8Array>;
  readonly data: readonly DataItem[];
  /** Entries that are not stored, and files that are stored but set nothing or will not work: one sentence each. */
  readonly warnings: readonly string[];
}

/** So many ignored names are listed; further ones are only counted. */
const LISTED = 10;

/** How a medium is inspected. */
export interface InspectionRules {
  /** The builder of a medium can correct it, so the checks are stricter than on a node. */
  readonly by?: "builder" | "node";
  readonly limits?: TarLimits;
}

/** As `inspectMedium`, for a tar. */
export async function inspectBootstrapTar(
  source: AsyncIterable<Uint8Array>,
  file: string,
  contents: MediumContents,
  rules: InspectionRules = {},
): Promise<Inspection> {
  return inspectMedium(async (limits, visit) => readTar(source, file, limits, visit), file, contents, rules);
}

/**
 * Reads a whole medium and checks everything in it, before any part of it is used.
 *
 * @param file the medium's name in error messages: "/dev/sdb1: ic-bootstrap.tar"
 * @param contents the entries that may be in it
 * @throws ProblemError that names the entry, and for a file the line and column; also when nothing in it configures a node
 */
export async function inspectMedium(
  read: MediumReader,
  file: string,
  contents: MediumContents,
  { by = "node", limits = bootstrapLimits }: InspectionRules = {},
): Promise<Inspection> {
  const config = new Map<string, Uint8Array>();
  const items = new Map<string, TreeDigest>();
  const ignored: string[] = [];
  const warnings: string[] = [];
  const names: string[] = [];
  let configures = false;
  const itemOf = (target: string): TreeDigest => {
    const item = items.get(target) ?? new TreeDigest();
    items.set(target, item);
    return item;
  };
  const small = new SmallData();
  const summary = await read(limits, async (entry) => {
    names.push(entry.name);
    const known = bootstrapEntry(contents, entry.name);
    const place = `${file}: ${entry.name}`;
    switch (known.kind) {
      case "unknown":
        ignored.push(entry.name);
        break;
      case "container":
        demand(entry, "folder", place);
        break;
      case "config": {
        const taken = takenBy(by, known, await smallContent(entry, place, known.longest), place);
        warnings.push(...taken.warnings.map((warning) => `${entry.name}: ${warning}`));
        if (Buffer.from(taken.content).toString("latin1").trim() === "")
          warnings.push(`${entry.name}: the file is empty, and sets nothing`);
        else configures = true;
        config.set(entry.name, taken.content);
        for (const [target, secret] of taken.data ?? []) small.hold(target, secret);
        break;
      }
      case "data": {
        const { content, notes } = tidy(by, await smallContent(entry, place));
        known.check(content, place);
        warnings.push(...notes.map((note) => `${entry.name}: ${note}`));
        configures = true;
        small.file(known.target, content);
        break;
      }
      case "tree": {
        if (entry.name === known.target && !known.target.includes("/")) demand(entry, "folder", place);
        if (entry.kind === "folder") break;
        configures ||= entry.size > 0;
        const hash = createHash("sha256");
        for await (const chunk of entry.content) hash.update(chunk);
        itemOf(known.target).file(entry.name.slice(known.target.length + 1), hash.digest("hex"));
        break;
      }
    }
  });
  for (const [target, content] of small.all()) itemOf(target).file("", createHash("sha256").update(content).digest("hex"));
  for (const folder of summary.folders) {
    const known = bootstrapEntry(contents, folder);
    if (known.kind === "tree") itemOf(known.target).folder(folder.slice(known.target.length + 1));
  }
  if (!configures) throw nothingInIt(file, contents, names);
  const shown = ignored.slice(0, LISTED).map((name) => `${quoted(name)} is not part of the configuration and is ignored`);
  if (ignored.length > LISTED) shown.push(`${ignored.length - LISTED} more entries are not part of the configuration and are ignored`);
  const data = [...items].map(([target, item]) => ({ target, digest: item.digest() })).toSorted((a, b) => (a.target < b.target ? -1 : 1));
  return {
    sha256: summary.sha256,
    config,
    data,
    warnings: [...shown, ...warnings, ...small.warnings(), ...(contents.compare?.(config) ?? [])],
  };
}

/** Small data files of a medium: as files of their own, or as a part of a file of the config partition, which counts then. */
class SmallData {
  readonly #files = new Map<string, Uint8Array>();
  readonly #held = new Map<string, Uint8Array>();

  file(target: string, content: Uint8Array): void {
    this.#files.set(target, content);
  }

  hold(target: string, content: Secret): void {
    this.#held.set(target, content.expose());
  }

  all(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.#files, ...this.#held]);
  }

  /** Whether the content is a part of a file of the config partition. */
  isHeld(target: string): boolean {
    return this.#held.has(target);
  }

  warnings(): readonly string[] {
    return [...this.#held].flatMap(([target, content]) => {
      const file = this.#files.get(target);
      return file === undefined || Buffer.from(file).equals(content) ? [] : [`${target}: config.json holds another one, which is used`];
    });
  }
}

/** What the caller takes of a file. @throws ProblemError for a file that must not be stored */
function takenBy(by: "builder" | "node", known: ConfigFile, content: Uint8Array, place: string): Taken {
  if (by === "builder") {
    known.strict?.(content, place);
    return { ...known.take?.(content, place), content, warnings: known.check(content, place) };
  }
  if (known.take === undefined) return { content, warnings: known.check(content, place) };
  const { content: plain, notes } = tidied(content);
  const taken = known.take(plain, place);
  return { ...taken, warnings: [...notes, ...taken.warnings] };
}

function tidy(by: "builder" | "node", content: Uint8Array): Tidied {
  return by === "node" ? tidied(content) : { content, notes: [] };
}

/** An entry of a medium's data. */
export interface DataEntry extends TarEntry {
  /** It was a part of a file of the config partition. */
  readonly isHeld?: boolean;
}

/**
 * Reads a medium again for data that is too large for memory: the files and folders of the given targets, in the medium's order, and then
 * the small files. The digest of the whole medium is only known at the end. The caller compares it before it uses any of the data.
 *
 * @returns the sha256 of the medium
 */
export async function extractMediumData(
  read: MediumReader,
  contents: MediumContents,
  targets: readonly string[],
  visit: (target: string, entry: DataEntry) => Promise<void>,
): Promise<string> {
  const small = new SmallData();
  const { sha256 } = await read(bootstrapLimits, async (entry) => {
    const known = bootstrapEntry(contents, entry.name);
    if (known.kind === "tree" && targets.includes(known.target)) await visit(known.target, entry);
    else if (known.kind === "data") small.file(known.target, tidied(await smallContent(entry, entry.name)).content);
    else if (known.kind === "config" && known.take !== undefined) {
      const { data = [] } = known.take(tidied(await smallContent(entry, entry.name, known.longest)).content, entry.name);
      for (const [target, secret] of data) small.hold(target, secret);
    }
  });
  for (const [target, content] of small.all()) {
    if (!targets.includes(target)) continue;
    await visit(target, { kind: "file", name: target, size: content.length, content: once(content), isHeld: small.isHeld(target) });
  }
  return sha256;
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}

/** If an empty tar were accepted, the node would count as configured, without any settings, and would never read the right medium. */
function nothingInIt(file: string, contents: MediumContents, names: readonly string[]): ProblemError {
  const listed = names.slice(0, LISTED).map(quoted);
  if (names.length > LISTED) listed.push(`${names.length - LISTED} more`);
  const folder = folderOfKnown(contents, names);
  return new ProblemError({
    code: "tar-without-configuration",
    what: "there is no configuration in the tar",
    where: { file },
    found: listed.length === 0 ? "no entry" : listed.join(", "),
    expected: `at least one of ${topLevelEntries(contents).join(", ")}, and something in it`,
    todo:
      folder === undefined
        ? `add what the node needs, and ${REBUILD}`
        : `the content of the folder ${quoted(folder)} belongs at the top of the tar: ${REBUILD}, from that folder`,
  });
}

/** @returns the folder of the first entry that would be known at the top of the tar; `undefined` when there is none */
function folderOfKnown(contents: MediumContents, names: readonly string[]): string | undefined {
  for (const name of names) {
    for (let slash = name.indexOf("/"); slash !== -1; slash = name.indexOf("/", slash + 1)) {
      if (bootstrapEntry(contents, name.slice(slash + 1)).kind !== "unknown") return name.slice(0, slash);
    }
  }
  return undefined;
}

function demand(entry: TarEntry, kind: "file" | "folder", file: string): void {
  if (entry.kind === kind) return;
  const words = { file: "a regular file", folder: "a folder" };
  throw refusedEntry(entry.name, file, words[entry.kind], words[kind]);
}

/** The content of an entry that is held in memory. @throws ProblemError for a folder, and for more than `longest` bytes */
export async function smallContent(entry: TarEntry, file: string, longest = LONGEST_TEXT): Promise<Uint8Array> {
  demand(entry, "file", file);
  if (entry.size > longest) {
    throw new ProblemError({
      code: "tar-entry-too-large",
      what: `the entry ${quoted(entry.name)} is too large`,
      where: { file },
      found: `${entry.size} bytes`,
      expected: `at most ${longest} bytes`,
      todo: REBUILD,
    });
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry.content) chunks.push(chunk);
  return Buffer.concat(chunks);
}
