import type { ByteSource } from "../system/files/byte-source.ts";
import { BufferPool } from "./buffer-pool.ts";
import { receive, type Received } from "./receive.ts";
import type { Progress } from "./install.ts";
import type { Trust } from "./trust.ts";

/** Larger than any disk of a node: it only bounds a source that never ends. */
const MOST = 16 * 1024 ** 4;

/**
 * Reads an image to its end as an install does, and writes nothing.
 *
 * @throws BadImage for what an install would refuse because of the image itself
 */
export async function verifyImage(source: ByteSource, trust: Trust, onProgress: (progress: Progress) => void): Promise<Received> {
  const expectation = { sha256: trust.kind === "insecure" ? undefined : trust.sha256, most: MOST };
  await using buffers = new BufferPool();
  return await receive(source, expectation, buffers, {
    version: () => undefined,
    member: async () => ({ take: async (_, digest) => void (await digest) }),
    onBytes: (done) => onProgress({ phase: "receive", done, total: source.size() }),
  });
}
