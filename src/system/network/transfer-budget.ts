import { systemClock } from "../../base/clock.ts";
/** The limits of a transfer. Times in milliseconds. */
export interface TransferLimits {
  /** Until the answer begins, and between two chunks of it. */
  readonly idle: number;
  /** The most failures in a row in which a connection delivers no more new bytes than repeated ones. */
  readonly attempts: number;
  /** Before the first retry; doubled with each further one, up to `longestPause`. */
  readonly firstPause: number;
  readonly longestPause: number;
  /** Bytes a second that must come on average, over `slack`: a server that sends a byte a minute must not hold the transfer permanently. */
  readonly leastRate: number;
  /** The total time for which nothing may come. Received bytes restore it. */
  readonly slack: number;
}

/** The least rate is that of dnf (dnf.conf(5), minrate). The slack is longer than all attempts and pauses with a silent server. */
export const defaultTransferLimits: TransferLimits = {
  idle: 30_000,
  attempts: 8,
  firstPause: 500,
  longestPause: 15_000,
  leastRate: 1000,
  slack: 600_000,
};

/** Counts only the time spent waiting for a server, not the time in which our own reader is busy. */
export class TransferBudget {
  readonly #limits: TransferLimits;
  #left: number;

  constructor(limits: TransferLimits) {
    this.#limits = limits;
    this.#left = limits.slack;
  }

  /** The time that is left for waiting, in milliseconds. */
  get left(): number {
    return Math.max(0, this.#left);
  }

  /** Waits for the work. When that takes too long, it calls `cut`, which must end the work. */
  async waited<T>(work: Promise<T>, cut: () => void): Promise<T> {
    const since = systemClock.now();
    const tooLate = setTimeout(cut, Math.min(this.#limits.idle, this.left));
    try {
      return await work;
    } finally {
      clearTimeout(tooLate);
      this.#left -= (systemClock.now() - since) * 1000;
    }
  }

  came(bytes: number): void {
    this.#left = Math.min(this.#limits.slack, this.#left + (bytes / this.#limits.leastRate) * 1000);
  }

  /**
   * The pause before the next attempt, after that many failures in a row, at least `least`.
   *
   * @returns `undefined` where no time is left for it
   */
  pause(failures: number, least: number): number | undefined {
    const { attempts, firstPause, longestPause } = this.#limits;
    const pause = Math.max(least, Math.min(longestPause, firstPause * 2 ** (failures - 1)));
    if (failures >= attempts || pause >= this.left) return undefined;
    this.#left -= pause;
    return pause;
  }
}
