import type { FileAttributes } from "../host.ts";

/**
 * Who may read what the program records of a boot, beside root: the group `adm`, which Debian has for those who read logs. The record
 * says no more than the journal does. Its number is the same on every system (base-passwd, group.master), so that a record on /var means
 * the same accounts to the next system.
 */
export const READERS = { name: "adm", gid: 4 } as const;

/** A file that root writes and they read. */
export const readersFile = { mode: 0o640, gid: READERS.gid } satisfies FileAttributes;
/** A folder of such files. Others do not even see names. */
export const readersFolder = { mode: 0o750, gid: READERS.gid } satisfies FileAttributes;
