import { writeSync } from "node:fs";

/** Milliseconds between two attempts to write. Node cannot wait until a datagram socket or a console accepts more. */
const RETRY = 50;
/** The most pieces that are held back: a console that no one reads must not use memory without limit. */
const MOST_HELD = 1024;

/**
 * Writes to a non-blocking descriptor, piece by piece and in order, without waiting. A piece that the other side does not accept now is
 * held back and tried again. A stalled journal or a stopped serial line must not stop a boot.
 */
export class NonBlockingWriter {
  readonly #descriptor: number;
  readonly #failed: (error: Error) => void;
  readonly #held: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;
  #emptied: (() => void) | undefined;
  #broken = false;
  /** The number of discarded pieces. */
  lost = 0;

  /** @param failed called once when the descriptor cannot be written to at all; nothing more is written then */
  constructor(descriptor: number, failed: (error: Error) => void) {
    this.#descriptor = descriptor;
    this.#failed = failed;
  }

  /** Writes the piece with one write(2), as a datagram requires. A stream may accept it in parts. */
  write(piece: Buffer): void {
    if (this.#broken || this.#held.length >= MOST_HELD) {
      this.lost += 1;
      return;
    }
    this.#held.push(piece);
    if (this.#timer === undefined) this.#drain();
  }

  /** Waits until all is written, at most that many milliseconds; then discards the rest. */
  async flush(within: number): Promise<void> {
    if (this.#held.length === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, within);
      this.#emptied = (): void => {
        clearTimeout(timer);
        resolve();
      };
    });
    clearTimeout(this.#timer);
    this.lost += this.#held.splice(0).length;
  }

  #drain(): void {
    this.#timer = undefined;
    try {
      for (let piece = this.#held[0]; piece !== undefined; piece = this.#held[0]) {
        const written = writeSync(this.#descriptor, piece);
        if (written < piece.length) this.#held[0] = piece.subarray(written);
        else this.#held.shift();
      }
    } catch (error) {
      if (isFull(error)) this.#timer = setTimeout(() => this.#drain(), RETRY).unref();
      else this.#break(error);
    }
    if (this.#held.length === 0) this.#emptied?.();
  }

  #break(error: unknown): void {
    this.#broken = true;
    this.lost += this.#held.splice(0).length;
    this.#failed(error instanceof Error ? error : new Error(String(error)));
  }
}

/** ENOBUFS: the same from a datagram socket (unix(7)). */
function isFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EAGAIN" || error.code === "ENOBUFS");
}
