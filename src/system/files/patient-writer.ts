import { writeSync } from "node:fs";

/** How often what could not be written is tried again, in milliseconds. Node cannot wait for a datagram socket or a console to take more. */
const RETRY = 50;
/** So much is held back; a console that nobody reads must not cost memory without end. */
const MOST_HELD = 1024;

/**
 * Writes to a non-blocking descriptor, piece by piece and in order, and never waits: what the other side does not take
 * now is held back and tried again. A journal that stands still or a stopped serial line must not stop a boot.
 */
export class PatientWriter {
  readonly #descriptor: number;
  readonly #failed: (error: Error) => void;
  readonly #held: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;
  #emptied: (() => void) | undefined;
  #broken = false;
  /** How many pieces were given up. */
  lost = 0;

  /** @param failed told once when the descriptor cannot be written to at all; nothing more is written then */
  constructor(descriptor: number, failed: (error: Error) => void) {
    this.#descriptor = descriptor;
    this.#failed = failed;
  }

  /** Writes the piece with one write(2), as a datagram must be; a stream may take it in parts. */
  write(piece: Buffer): void {
    if (this.#broken || this.#held.length >= MOST_HELD) {
      this.lost += 1;
      return;
    }
    this.#held.push(piece);
    if (this.#timer === undefined) this.#drain();
  }

  /** Waits until all is written, at most so many milliseconds. */
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
