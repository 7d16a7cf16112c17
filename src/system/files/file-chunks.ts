import { foreignWords } from "../../base/foreign-words.ts";
import type { Host } from "../host.ts";
import { ProblemError, unreadableFile } from "../../base/problem.ts";

/** Large enough that opening the file for each chunk costs little, small enough for a node's memory. */
const CHUNK = 1024 * 1024;

/**
 * A file's bytes in chunks, until the host's signal is aborted.
 *
 * @throws ProblemError when there is no such file, or reading fails; retryable, because it may be on a medium that was pulled out
 */
export async function* fileChunks(host: Host, path: string): AsyncIterable<Uint8Array> {
  for (let offset = 0; ;) {
    host.signal.throwIfAborted();
    const chunk = await host.readAt(path, offset, CHUNK).catch((error: unknown) => {
      throw new ProblemError(unreadableFile(path, foreignWords(error)), { retryable: true, cause: error });
    });
    if (chunk === undefined) throw new ProblemError(unreadableFile(path, "no such file"), { retryable: true });
    if (chunk.length > 0) yield chunk;
    if (chunk.length < CHUNK) return;
    offset += chunk.length;
  }
}
