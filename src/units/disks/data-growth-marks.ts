/** Bytes that should be free on the data volume of a volume group of that many bytes: a tenth of it. */
export function lowMark(groupBytes: number): number {
  return groupBytes / 10;
}

const LARGEST = 15 * 1024 ** 4;

export interface DataVolume {
  readonly groupBytes: number;
  readonly extentBytes: number;
  /** Extents of the group that belong to no volume. */
  readonly freeExtents: number;
  /** Of the logical volume. */
  readonly volumeExtents: number;
  /** Bytes that programs may still use on its file system. */
  readonly freeBytes: number;
}

/**
 * How many extents the data volume should have: as many as it has while it has enough free; else more by twentieths of the
 * group, as many as it takes, but no more than there are, and at most 15 TiB altogether.
 */
export function wantedExtents({ groupBytes, extentBytes, freeExtents, volumeExtents, freeBytes }: DataVolume): number {
  const missing = lowMark(groupBytes) - freeBytes;
  if (missing <= 0) return volumeExtents;
  const step = Math.max(1, Math.floor(groupBytes / 20 / extentBytes));
  // One more than fills it up to the mark, so that what is written meanwhile does not call for the next at once.
  const steps = Math.floor(missing / (step * extentBytes)) + 1;
  const room = Math.min(freeExtents, Math.floor(LARGEST / extentBytes) - volumeExtents);
  return volumeExtents + Math.max(0, Math.min(steps * step, room));
}
