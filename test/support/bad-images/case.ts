import { entriesOf, type EntryName, smallImage } from "../update-images.ts";

export interface BadImageCase {
  readonly name: string;
  readonly bytes: Buffer;
  /** What the error must say. */
  readonly says: RegExp;
  /** The hash that was asked for, where it is another one than that of these bytes. */
  readonly asked?: string;
}

/** The entries of an image that can be installed. */
export const good = entriesOf(smallImage);
export const plainOrder: readonly EntryName[] = ["VERSION.TXT", "boot.img", "root.img"];
export const VERSION = good["VERSION.TXT"];
export const BOOT = good["boot.img"];
export const ROOT = good["root.img"];
