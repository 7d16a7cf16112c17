import { createHash } from "node:crypto";
import { ProblemError } from "../base/problem.ts";
import { bootstrapEntry, type MediumContents, topLevelEntries } from "./medium-contents.ts";
import { quoted } from "../base/quoted.ts";
import { readTar, REBUILD, type TarEntry, type TarLimits } from "./medium-tar.ts";
import { LONGEST_TEXT } from "../config/text/text-lines.ts";
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

/**
 * Reads a whole ic-bootstrap.tar and checks everything in it, before any part of it is used.
 *
 * @param file the tar's name in error messages: "/dev/sdb1: ic-bootstrap.tar"
 * @param contents the entries that may be in it
 * @param by the builder of a medium can correct it, so the checks are stricter than on a node
 * @throws ProblemError that names the entry, and for a file the line and column; also when nothing in it configures a node
 */
export async function inspectBootstrapTar(
  source: AsyncIterable<Uint8Array>,
  file: string,
  contents: MediumContents,
  { by = "node", limits = bootstrapLimits }: { readonly by?: "builder" | "node"; readonly limits?: TarLimits } = {},
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
  const summary = await readTar(source, file, limits, async (entry) => {
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
        const content = await smallContent(entry, place, known.longest);
        if (by === "builder") known.strict?.(content, place);
        warnings.push(...known.check(content, place).map((warning) => `${entry.name}: ${warning}`));
        if (isBlank(content)) warnings.push(`${entry.name}: the file is empty, and sets nothing`);
        else configures = true;
        config.set(entry.name, content);
        break;
      }
      case "data": {
        const content = await smallContent(entry, place);
        known.check(content, place);
        configures = true;
        itemOf(known.target).file("", createHash("sha256").update(content).digest("hex"));
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
  for (const folder of summary.folders) {
    const known = bootstrapEntry(contents, folder);
    if (known.kind === "tree") itemOf(known.target).folder(folder.slice(known.target.length + 1));
  }
  if (!configures) throw nothingInIt(file, contents, names);
  const shown = ignored.slice(0, LISTED).map((name) => `${quoted(name)} is not part of the configuration and is ignored`);
  if (ignored.length > LISTED) shown.push(`${ignored.length - LISTED} more entries are not part of the configuration and are ignored`);
  const data = [...items].map(([target, item]) => ({ target, digest: item.digest() })).toSorted((a, b) => (a.target < b.target ? -1 : 1));
  return { sha256: summary.sha256, config, data, warnings: [...shown, ...warnings] };
}

/**
 * Reads a tar again for data that is too large for memory: the files and folders of the given targets, in the tar's order. The digest of
 * the whole tar is only known at the end. The caller compares it before it uses any of the data.
 *
 * @returns the sha256 of the tar
 */
export async function extractBootstrapData(
  source: AsyncIterable<Uint8Array>,
  file: string,
  contents: MediumContents,
  targets: readonly string[],
  visit: (target: string, entry: TarEntry) => Promise<void>,
): Promise<string> {
  const { sha256 } = await readTar(source, file, bootstrapLimits, async (entry) => {
    const known = bootstrapEntry(contents, entry.name);
    if ((known.kind === "data" || known.kind === "tree") && targets.includes(known.target)) await visit(known.target, entry);
  });
  return sha256;
}

function isBlank(content: Uint8Array): boolean {
  return Buffer.from(content).toString("latin1").trim() === "";
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
  throw new ProblemError({
    code: "tar-entry-refused",
    what: `the entry ${quoted(entry.name)} is refused`,
    where: { file },
    found: words[entry.kind],
    expected: words[kind],
    todo: REBUILD,
  });
}

async function smallContent(entry: TarEntry, file: string, longest = LONGEST_TEXT): Promise<Uint8Array> {
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
