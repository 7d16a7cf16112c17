import { BadTar } from "./bad-tar.ts";

/** Reads the bytes of a stream in portions of the caller's choice. */
export class ByteReader {
  /** Bytes taken so far. */
  offset = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Up to `most` bytes, without a copy; `undefined` at the end of the stream. Valid until the next call. */
  async some(most: number): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      this.#rest = next.value;
    }
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.length);
    this.offset += taken.length;
    return taken;
  }

  /**
   * That many bytes, in pieces and without a copy.
   *
   * @param what the part of the tar that is read, for the error
   * @throws BadTar when the stream ends before
   */
  async *pieces(length: number, what: string): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0;) {
      const piece = (await this.some(left)) ?? this.#cutOff(what);
      left -= piece.length;
      yield piece;
    }
  }

  /** Exactly that many bytes, as a copy: for small parts. @throws BadTar as `pieces` does */
  async exactly(length: number, what: string): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length;) {
      const piece = (await this.some(length - done)) ?? this.#cutOff(what);
      bytes.set(piece, done);
      done += piece.length;
    }
    return bytes;
  }

  #cutOff(what: string): never {
    throw new BadTar("cut-off", {
      code: "tar-cut-off",
      what: "the tar is cut off",
      found: `its end after ${this.offset} bytes, in ${what}`,
    });
  }

  /** Ends the reading. A source that is a generator returns here. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
