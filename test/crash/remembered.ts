import type { RawDisk } from "./raw-disk.ts";
import type { Range } from "./replay.ts";

/** Reads a part of one disk after the other: again only where something of that part may be another than at the time before. */
export function remembered<T>(
  part: Range,
  read: (disk: RawDisk, scratch: string) => T,
): (disk: RawDisk, changed: readonly Range[], scratch: string) => T {
  let last: { readonly value: T } | undefined;
  return (disk, changed, scratch) => {
    const isTouched = changed.some(({ offset, length }) => offset < part.offset + part.length && offset + length > part.offset);
    // First it is forgotten: to read may fail.
    if (isTouched) last = undefined;
    last ??= { value: read(disk, scratch) };
    return last.value;
  };
}
