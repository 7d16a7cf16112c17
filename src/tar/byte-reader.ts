import { BadImage } from "./bad-image.ts";

/** Bytes of a stream, taken in the portions that the reader wants. */
export class ByteReader {
  /** Bytes taken so far. */
  offset = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #name: string;
  #rest: Uint8Array = new Uint8Array();

  /** @param name what the stream is called in messages */
  constructor(chunks: AsyncIterable<Uint8Array>, name: string) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#name = name;
  }

  /** Up to `most` bytes, as they lie in memory; `undefined` at the end of the stream. Valid until the next call. */
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

  /** Exactly that many, in memory of their own: for what is small. @throws BadImage when the stream ends before, naming `what` was cut off */
  async exactly(length: number, what: string): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    for (let done = 0; done < length;) {
      const piece = await this.some(length - done);
      if (piece === undefined) throw this.cutOff(what);
      bytes.set(piece, done);
      done += piece.length;
    }
    return bytes;
  }

  cutOff(what: string): BadImage {
    return new BadImage({
      code: "image-cut-off",
      what: "the image is cut off",
      where: { file: this.#name },
      found: `its end after ${this.offset} bytes, in ${what}`,
    });
  }
}
