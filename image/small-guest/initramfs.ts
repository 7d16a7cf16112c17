/** An entry of an initramfs: a folder without contents, or a file. */
export interface Entry {
  readonly path: string;
  readonly contents?: Uint8Array | string;
}

/**
 * An initramfs of folders and executable files, all root's (Linux, Documentation/driver-api/early-userspace/buffer-format.rst: "newc"). The
 * kernel adds /dev/console by itself.
 */
export function initramfs(entries: readonly Entry[]): Uint8Array {
  return Buffer.concat([...entries, { path: "TRAILER!!!", contents: "" }].flatMap((entry, index) => member(entry, index + 1)));
}

const MODES = { folder: 0o40_755, file: 0o100_755 } as const;

function member({ path, contents }: Entry, inode: number): readonly Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  const data = Buffer.from(contents ?? "");
  // inode, mode, owner, group, links, time, size, four device numbers, length of the name, no sum.
  const fields = [inode, contents === undefined ? MODES.folder : MODES.file, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
  return [header, name, padding(header.length + name.length), data, padding(data.length)];
}

function padding(length: number): Uint8Array {
  return Buffer.alloc((4 - (length % 4)) % 4);
}
