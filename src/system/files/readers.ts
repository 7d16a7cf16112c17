import type { FileAttributes } from "../host.ts";

/**
 * The group that may read the program's records of a boot, besides root: `adm`, Debian's group for readers of logs. The record reveals no
 * more than the journal does. The group's number is the same on every system (base-passwd, group.master). So a record on /var has the same
 * readers on the next system.
 */
export const READERS = { name: "adm", gid: 4 } as const;

/** A file that root writes and the group reads. */
export const readersFile = { mode: 0o640, gid: READERS.gid } satisfies FileAttributes;
/** A folder of such files. Others cannot even list it. */
export const readersFolder = { mode: 0o750, gid: READERS.gid } satisfies FileAttributes;
