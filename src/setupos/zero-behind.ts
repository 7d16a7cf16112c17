import type { Host } from "../system/host.ts";

/** Bytes behind a guest's image that are zeroed: its store begins there, and the headers of an older one may be there (LUKS2: 16 MiB). */
const BEHIND = 32 * 1024 * 1024;
/** Bytes at the end of its volume: the copy of an older partition table is there. */
const END = 4 * 1024 * 1024;
const PIECE = 4 * 1024 * 1024;

/**
 * Zeroes what an older guest may have left behind the image of a new one. A new guest makes its store there, and takes data that it does not
 * know for someone's.
 */
export async function zeroBehind(
  host: Host,
  { path, bytes }: { readonly path: string; readonly bytes: number },
  image: number,
): Promise<void> {
  const ranges = [
    [image, Math.min(bytes, image + BEHIND)],
    [Math.max(Math.min(bytes, image + BEHIND), bytes - END), bytes],
  ] as const;
  for (const [from, to] of ranges) {
    for (let at = from; at < to; at += PIECE) {
      host.signal.throwIfAborted();
      await host.writeInPlace(path, Buffer.alloc(Math.min(PIECE, to - at)), at);
    }
  }
}
