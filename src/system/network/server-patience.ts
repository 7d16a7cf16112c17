/** How patient a transfer is. Times in milliseconds. */
export interface Patience {
  /** Until the answer begins, and between two pieces of it. */
  readonly idle: number;
  /** Failures in a row without a new byte, or with more that was there already than is new. */
  readonly attempts: number;
  /** Before the first retry; doubled with each further one, up to `longestPause`. */
  readonly firstPause: number;
  readonly longestPause: number;
  /** Bytes a second that must come on average, over `slack`: a server that gives a byte a minute must not keep us for ever. */
  readonly leastRate: number;
  /** For how long nothing may come in all; what comes earns it back. */
  readonly slack: number;
}

/** The least rate is that of dnf (dnf.conf(5), minrate). The slack is more than all attempts and pauses of a server that is silent. */
export const usualPatience: Patience = {
  idle: 30_000,
  attempts: 8,
  firstPause: 500,
  longestPause: 15_000,
  leastRate: 1000,
  slack: 600_000,
};

/** Counts the time in which a server is waited for, and only that: while our own reader is busy, nobody waits. */
export class ServerPatience {
  readonly #patience: Patience;
  #left: number;

  constructor(patience: Patience) {
    this.#patience = patience;
    this.#left = patience.slack;
  }

  /** How long may still be waited, in milliseconds. */
  get left(): number {
    return Math.max(0, this.#left);
  }

  /** Waits for the work; `cut` is called when that takes too long, and must end it. */
  async waited<T>(work: Promise<T>, cut: () => void): Promise<T> {
    const since = performance.now();
    const tooLate = setTimeout(cut, Math.min(this.#patience.idle, this.left));
    try {
      return await work;
    } finally {
      clearTimeout(tooLate);
      this.#left -= performance.now() - since;
    }
  }

  came(bytes: number): void {
    this.#left = Math.min(this.#patience.slack, this.#left + (bytes / this.#patience.leastRate) * 1000);
  }

  /** Before the next try, after so many failures in a row, and not before `least`. @returns `undefined` where there is no time for it */
  pause(failures: number, least: number): number | undefined {
    const { attempts, firstPause, longestPause } = this.#patience;
    const pause = Math.max(least, Math.min(longestPause, firstPause * 2 ** (failures - 1)));
    if (failures >= attempts || pause >= this.left) return undefined;
    this.#left -= pause;
    return pause;
  }
}
