import { blockOf, type BootState } from "../../src/upgrade/boot-state.ts";

/** What is not readable boots A, and stable. So here it is B that runs: an unreadable state in between is neither the old nor the new one. */
export const running = "B";
const before: BootState = { alternative: "B", cycle: "stable", trial: undefined };
/** What `upgrade commit` writes. */
const flipped: BootState = { alternative: "A", cycle: "first_boot", trial: "A" };

/** How the block is written. */
export type Way =
  /** The program of the image: `guestos-boot upgrade commit`. */
  | "program"
  /** The function that it calls. */
  | "ours"
  /** As grub-editenv does: truncate, write, fsync. */
  | "truncate"
  /** `cat block >grubenv`. */
  | "cat"
  /** A file beside, written and not synced, and a rename. */
  | "rename"
  /** A file beside, synced, a rename, and the folder synced. */
  | "rename-synced";

export interface Case {
  /** Also the disk's serial number: at most 20 characters. */
  readonly name: string;
  readonly way: Way;
  /** The file as it was, if there was one. */
  readonly old?: Uint8Array;
  readonly block: Uint8Array;
}

const others = ["other=1"];
const [old, block] = [blockOf(before, others), blockOf(flipped, others)];
/** They reach into the second sector, and what is written moves them along. */
const many = Array.from({ length: 20 }, (_, n) => `other${n}=${"x".repeat(20)}${n}`);

const ours: readonly Case[] = [
  { name: "program", way: "program", old, block },
  { name: "one-sector", way: "ours", old, block },
  { name: "both-sectors", way: "ours", old: blockOf(before, many), block: blockOf(flipped, many) },
  { name: "missing", way: "ours", block },
  { name: "empty", way: "ours", old: new Uint8Array(0), block },
  { name: "short", way: "ours", old: old.subarray(0, 600), block },
  { name: "long", way: "ours", old: Buffer.concat([old, Buffer.alloc(3072, "#")]), block },
  // Nothing else is written over such a block than the slot that runs.
  { name: "damaged", way: "ours", old: Buffer.alloc(1024, 0xff), block: blockOf(before, []) },
];

const naive: readonly Case[] = (["truncate", "cat", "rename", "rename-synced"] as const).map((way) => ({
  ...{ name: way, way, old, block },
}));

export const FILE_SYSTEM_KIB = 4096;
export const DISK_KIB = FILE_SYSTEM_KIB + 64;
/** Where the guest writes a sector to say how far it is: behind the file system, which knows nothing of it. Bytes. */
export const MARK_AT = DISK_KIB * 1024 - 4096;

/** @see docs/reliability.md */
export const grubenvCases = { ours, naive };
