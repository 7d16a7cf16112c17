import type { ByteSource } from "../system/files/byte-source.ts";
import type { HashStream } from "../system/processes/hash-thread.ts";
import { BadImage } from "./bad-image.ts";

/** The bytes of the source, hashed as they pass. A reader may stop in the middle; `digest` reads the rest. */
export class HashedInput implements AsyncIterable<Uint8Array> {
  bytes = 0;
  readonly #chunks: AsyncGenerator<Uint8Array>;
  #whole: string | undefined;

  constructor(source: ByteSource, most: number, hash: HashStream, onBytes: (received: number) => void) {
    this.#chunks = this.#passing(source, most, hash, onBytes);
  }

  /** Does not close the source when the iteration ends early. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#chunks.next() };
  }

  async digest(): Promise<string> {
    while ((await this.#chunks.next()).done !== true);
    if (this.#whole === undefined) throw new Error("the source failed before its end");
    return this.#whole;
  }

  async close(): Promise<void> {
    await this.#chunks.return(undefined);
  }

  async *#passing(source: ByteSource, most: number, hash: HashStream, onBytes: (received: number) => void): AsyncGenerator<Uint8Array> {
    for await (const chunk of source.chunks) {
      await hash.update(chunk);
      this.bytes += chunk.length;
      if (this.bytes > most) {
        throw new BadImage({
          code: "image-too-large",
          what: "the image is too large for this machine",
          where: { file: source.name },
          found: `more than ${most} bytes`,
          expected: "no more than its partitions can hold",
        });
      }
      onBytes(this.bytes);
      yield chunk;
    }
    this.#whole = Buffer.from(await hash.digest()).toString("hex");
  }
}
