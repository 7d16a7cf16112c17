import { open, truncate } from "node:fs/promises";

const MIB = 1024 * 1024;

/** Where some content lies: a whole file, or a partition in a disk image. Bytes. */
export interface Extent {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
}

/** Copies an extent to a place in a file that has only zeros there. Zeros are left out, so they stay holes: a root image is mostly those. */
export async function copyExtent({ path, offset, bytes }: Extent, to: string, toOffset: number): Promise<void> {
  const [from, target] = [await open(path, "r"), await open(to, "r+")];
  try {
    const buffer = Buffer.alloc(MIB);
    const zeros = Buffer.alloc(MIB);
    for (let at = 0; at < bytes; at += MIB) {
      const { bytesRead } = await from.read(buffer, 0, Math.min(MIB, bytes - at), offset + at);
      const piece = buffer.subarray(0, bytesRead);
      if (!piece.equals(zeros.subarray(0, bytesRead))) await target.write(piece, 0, bytesRead, toOffset + at);
    }
  } finally {
    await Promise.all([from.close(), target.close()]);
  }
}

/** The same into a file of its own, which is made. @returns all of it */
export async function extentInFile(extent: Extent, file: string): Promise<Extent> {
  await (await open(file, "wx")).close();
  await truncate(file, extent.bytes);
  await copyExtent(extent, file, 0);
  return { path: file, offset: 0, bytes: extent.bytes };
}
