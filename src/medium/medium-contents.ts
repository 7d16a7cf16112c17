import { join } from "node:path";
import type { Layout } from "../config/layout/layout.ts";

/** Throws a ProblemError on content that must not be stored; returns what is allowed and yet will not work. */
export type Check = (content: Uint8Array, file: string) => readonly string[];

/** A file of the config partition. */
export interface ConfigFile {
  readonly check: Check;
  /** Throws a ProblemError also on what a node takes in with a warning: for the builder of a medium, who can correct it. */
  readonly strict?: (content: Uint8Array, file: string) => unknown;
  /** Bytes; LONGEST_TEXT unless told. It is held in memory. */
  readonly longest?: number;
  /** Readable for the accounts that it is about (0644) unless told. Always root's. */
  readonly mode?: number;
}

/**
 * Everything that may lie in a profile's ic-bootstrap.tar, by its name there, and where it goes: what is not named here is never
 * stored (docs/configuration.md).
 */
export interface MediumContents {
  /** Small files of the config partition: they are stored first, because the network needs some of them. */
  readonly configFiles: ReadonlyMap<string, ConfigFile>;
  /** Small files that are stored with the trees. */
  readonly dataFiles: ReadonlyMap<string, Check>;
  /** Folders of any size, of whose content nothing is known. Each is put into place as a whole. */
  readonly trees: readonly string[];
  /** The folder to which data files and trees go. */
  readonly home: (layout: Layout) => string;
  /** Trees whose place is a mount point, and so stays: what lies directly in them is put into place one by one. */
  readonly mounted: ReadonlyMap<string, (layout: Layout) => string>;
  /** The account that owns data files and trees. */
  readonly owner: string;
  /** Whether something of that name among data files and trees is for the owner's eyes alone. */
  readonly isSecret: (target: string) => boolean;
}

export const KEYS_FOLDER = "accounts_ssh_authorized_keys";

/** Where a tree is unpacked before it is put into place, on the file system that it goes to. */
export const STAGING = ".injection";

/** Names directly in a mounted tree that are the chain's own, or mkfs's. */
const RESERVED: readonly string[] = [STAGING, "lost+found"];

export type BootstrapEntry =
  /** A file of the config partition. */
  | ({ readonly kind: "config" } & ConfigFile)
  /** A small file among the data. */
  | { readonly kind: "data"; readonly check: Check; readonly target: string }
  /** Something in one of the trees; `target` is what is put into place as a whole. */
  | { readonly kind: "tree"; readonly target: string }
  /** A folder of the tar that only holds others. */
  | { readonly kind: "container" }
  | { readonly kind: "unknown" };

/** What an entry of that (normalised) name is. */
export function bootstrapEntry({ configFiles, dataFiles, trees, mounted }: MediumContents, name: string): BootstrapEntry {
  const config = configFiles.get(name);
  if (config !== undefined) return { kind: "config", ...config };
  const data = dataFiles.get(name);
  if (data !== undefined) return { kind: "data", check: data, target: name };
  if (name === KEYS_FOLDER || mounted.has(name)) return { kind: "container" };
  const [root = "", child = ""] = name.split("/");
  if (!trees.includes(root) || (mounted.has(root) && RESERVED.includes(child))) return { kind: "unknown" };
  return { kind: "tree", target: mounted.has(root) ? `${root}/${child}` : root };
}

/** Every top-level name that may be given to the medium's builder. */
export function topLevelEntries({ configFiles, dataFiles, trees }: MediumContents): readonly string[] {
  return [...new Set([...configFiles.keys(), ...dataFiles.keys(), ...trees].map((name) => name.split("/")[0] ?? ""))];
}

/** Where an entry of the config partition goes. */
export function configTarget(layout: Layout, name: string): string {
  const [folder, account] = name.split("/");
  return folder === KEYS_FOLDER && account !== undefined ? join(layout.config.accountKeys, account) : join(layout.mountPoints.config, name);
}

/** Where a data file or a tree, or what lies directly in a mounted one, goes. */
export function dataTarget({ home, mounted }: MediumContents, layout: Layout, target: string): string {
  const [folder = "", child] = target.split("/");
  const place = mounted.get(folder);
  return place !== undefined && child !== undefined ? join(place(layout), child) : join(home(layout), target);
}

/** The folders in which data is unpacked: one on each file system that it may go to. */
export function stagingFolders({ home, mounted }: MediumContents, layout: Layout): readonly string[] {
  return [home, ...mounted.values()].map((folder) => join(folder(layout), STAGING));
}

/** A check that has nothing to warn of. */
export function quiet(parse: (content: Uint8Array, file: string) => unknown): Check {
  return (content, file) => {
    parse(content, file);
    return [];
  };
}
