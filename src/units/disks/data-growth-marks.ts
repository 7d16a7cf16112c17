/** Bytes that should be free on the data volume: a tenth of the volume group. */
export function lowMark(groupBytes: number): number {
  return groupBytes / 10;
}

const LARGEST = 15 * 1024 ** 4;

export interface DataVolume {
  readonly groupBytes: number;
  readonly extentBytes: number;
  /** Extents of the group that belong to no volume. */
  readonly freeExtents: number;
  /** Extents of the logical volume. */
  readonly volumeExtents: number;
  /** Bytes that programs can still use on its file system. */
  readonly freeBytes: number;
}

/**
 * How many extents the data volume should have. With enough free space it stays as it is. Otherwise it grows in steps of a twentieth of the
 * group until it has enough. The limits are the group's free extents, and 15 TiB in total.
 */
export function wantedExtents({ groupBytes, extentBytes, freeExtents, volumeExtents, freeBytes }: DataVolume): number {
  const missing = lowMark(groupBytes) - freeBytes;
  if (missing <= 0) return volumeExtents;
  const step = Math.max(1, Math.floor(groupBytes / 20 / extentBytes));
  // One step beyond the mark, so that data written meanwhile does not require the next growth at once.
  const steps = Math.floor(missing / (step * extentBytes)) + 1;
  const room = Math.min(freeExtents, Math.floor(LARGEST / extentBytes) - volumeExtents);
  return volumeExtents + Math.max(0, Math.min(steps * step, room));
}
