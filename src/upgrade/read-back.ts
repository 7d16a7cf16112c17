import type { SharedBuffer } from "../system/disks/aligned-memory.ts";
import { dropCache, openDirect } from "../system/disks/direct-file.ts";
import type { Host } from "../system/host.ts";
import { ProblemError } from "../base/problem.ts";
import { zeroChunkDigest } from "./chunk-digest.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { CHUNK_BYTES, type MemberContent } from "./manifest.ts";
import type { Place } from "./slot-places.ts";

/** Reading ends on a block of this size; the content after the member's last block is not read. */
const BLOCK = 4096;
/** Chunks that are read or hashed at once: as many as Node has threads for reading. */
const READERS = 4;

/**
 * Reads the written content from the device itself, past every cache of this machine, and compares it with the expected content.
 *
 * @param onBytes called with the number of bytes just read
 * @throws ProblemError naming the first place that differs
 */
export async function readBack(
  host: Host,
  place: Place,
  expected: MemberContent,
  buffers: BufferPool,
  onBytes: (count: number) => void,
): Promise<void> {
  const file = await openDirect(place.path, place.bytes, "read");
  try {
    if (!file.direct) await dropCache(host, place.path);
    const wrong: number[] = [];
    const check = async (index: number, buffer: SharedBuffer): Promise<void> => {
      const offset = index * CHUNK_BYTES;
      const length = Math.min(CHUNK_BYTES, expected.bytes - offset);
      await file.read(buffer.subarray(0, Math.min(Math.ceil(length / BLOCK) * BLOCK, place.bytes - offset)), offset);
      const wanted = expected.chunks[index] ?? new Uint8Array();
      const isRight = zeroChunkDigest().every((byte, at) => byte === wanted[at])
        ? buffer.subarray(0, length).equals(buffers.zeros)
        : Buffer.compare(await buffers.hashing.sha256(buffer.subarray(0, length)), wanted) === 0;
      if (!isRight) wrong.push(offset);
      onBytes(length);
    };
    // Each reader takes the next free chunk.
    let next = 0;
    const reader = async (): Promise<void> => {
      const buffer = await buffers.fresh.take();
      try {
        while (next < expected.chunks.length && wrong.length === 0) {
          host.signal.throwIfAborted();
          next += 1;
          await check(next - 1, buffer);
        }
      } finally {
        buffers.fresh.giveBack(buffer);
      }
    };
    const ended = await Promise.allSettled(Array.from({ length: READERS }, reader));
    const failed = ended.find((one) => one.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    if (wrong.length === 0) return;
    throw new ProblemError({
      code: "read-back-differs",
      what: `${place.path} does not hold what was written to it`,
      found: `other content between byte ${Math.min(...wrong)} and ${Math.min(...wrong) + CHUNK_BYTES}`,
      todo: "the disk loses or changes data: see dmesg and smartctl; the slot will not be started",
    });
  } finally {
    await file.close();
  }
}
