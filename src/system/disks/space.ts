import { statfs } from "node:fs/promises";

export interface Space {
  /** Bytes of the whole file system, as it counts them. */
  readonly total: number;
  /** Bytes that programs may still use. */
  readonly free: number;
}

/** How full the file system is that the path lies on (statvfs(3)). Costs no process, so that it can be asked often. */
export async function spaceAt(path: string): Promise<Space> {
  const { bsize, blocks, bavail } = await statfs(path);
  return { total: blocks * bsize, free: bavail * bsize };
}
