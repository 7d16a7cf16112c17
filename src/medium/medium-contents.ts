import { join } from "node:path";
import type { Layout } from "../config/layout/layout.ts";
import type { Secret } from "../base/secret.ts";

/** @returns warnings about values that are allowed but will not work. @throws ProblemError for content that must not be stored */
export type Check = (content: Uint8Array, file: string) => readonly string[];

/** What a node takes of a file. */
export interface Taken {
  /** What is stored. */
  readonly content: Uint8Array;
  readonly warnings: readonly string[];
  /** What of it is data, by the data file as which it is stored: the file itself must not hold it. */
  readonly data?: ReadonlyMap<string, Secret>;
}

/** A file of the config partition. */
export interface ConfigFile {
  readonly check: Check;
  /**
   * Used in place of `check` on a node, where no one can correct the file: a mistake costs what it is in, and is a warning. Throws a
   * ProblemError for a file of which nothing can be used.
   */
  readonly take?: (content: Uint8Array, file: string) => Taken;
  /** Throws a ProblemError also for values that a node accepts with a warning: the builder of a medium can correct them. */
  readonly strict?: (content: Uint8Array, file: string) => unknown;
  /** Most bytes; LONGEST_TEXT by default. The file is held in memory. */
  readonly longest?: number;
  /** 0644 by default, readable for the accounts that it is about. The owner is always root. */
  readonly mode?: number;
}

/**
 * All entries that a profile's ic-bootstrap.tar may hold, by their names in the tar, and their targets. Any other entry is never stored
 * (docs/configuration.md).
 */
export interface MediumContents {
  /** Small files of the config partition. They are stored first, because the network needs some of them. */
  readonly configFiles: ReadonlyMap<string, ConfigFile>;
  /** Small files that are stored with the trees. */
  readonly dataFiles: ReadonlyMap<string, Check>;
  /** Folders of any size, whose content is not checked. Each is put into place as a whole. */
  readonly trees: readonly string[];
  /** The folder for data files and trees. */
  readonly home: (layout: Layout) => string;
  /** Trees whose target is a mount point, which cannot be replaced: each entry directly in them is put into place by itself. */
  readonly mounted: ReadonlyMap<string, (layout: Layout) => string>;
  /** The account that owns data files and trees. */
  readonly owner: string;
  /** What the files of the config partition say twice, or against each other: one sentence each. */
  readonly compare?: (config: ReadonlyMap<string, Uint8Array>) => readonly string[];
  /** Whether only the owner may read the data file or tree of that name. */
  readonly isSecret: (target: string) => boolean;
}

export const KEYS_FOLDER = "accounts_ssh_authorized_keys";

/** Folder in which data is unpacked before it is put into place, on the file system of its target. */
export const STAGING = ".injection";

/** Names directly in a mounted tree that this program or mkfs uses. */
const RESERVED: readonly string[] = [STAGING, "lost+found"];

export type BootstrapEntry =
  /** A file of the config partition. */
  | ({ readonly kind: "config" } & ConfigFile)
  /** A small file among the data. */
  | { readonly kind: "data"; readonly check: Check; readonly target: string }
  /** An entry of one of the trees; `target` is the part that is put into place as a whole. */
  | { readonly kind: "tree"; readonly target: string }
  /** A folder of the tar that only holds other entries. */
  | { readonly kind: "container" }
  | { readonly kind: "unknown" };

/** The kind of the entry with that (normalised) name. */
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

/** Every top-level name that the medium's builder accepts. */
export function topLevelEntries({ configFiles, dataFiles, trees }: MediumContents): readonly string[] {
  return [...new Set([...configFiles.keys(), ...dataFiles.keys(), ...trees].map((name) => name.split("/")[0] ?? ""))];
}

/** The path of a file of the config partition. */
export function configTarget(layout: Layout, name: string): string {
  const [folder, account] = name.split("/");
  return folder === KEYS_FOLDER && account !== undefined ? join(layout.config.accountKeys, account) : join(layout.mountPoints.config, name);
}

/** The path of a data file, of a tree, or of an entry directly in a mounted tree. */
export function dataTarget({ home, mounted }: MediumContents, layout: Layout, target: string): string {
  const [folder = "", child] = target.split("/");
  const place = mounted.get(folder);
  return place !== undefined && child !== undefined ? join(place(layout), child) : join(home(layout), target);
}

/** The folders in which data is unpacked: one on each file system with targets. */
export function stagingFolders({ home, mounted }: MediumContents, layout: Layout): readonly string[] {
  return [home, ...mounted.values()].map((folder) => join(folder(layout), STAGING));
}

/** A check without warnings. */
export function quiet(parse: (content: Uint8Array, file: string) => unknown): Check {
  return (content, file) => {
    parse(content, file);
    return [];
  };
}
