/** Time. Tests replace it to make runs repeatable. */
export interface Clock {
  /** Seconds of CLOCK_MONOTONIC. */
  readonly now: () => number;
  /** Wall-clock time, ISO 8601. */
  readonly date: () => string;
  /** Calls `then` after that many milliseconds, unless the returned function is called first. */
  readonly after: (milliseconds: number, then: () => void) => () => void;
}

/** The machine's own clocks. */
export const systemClock: Clock = {
  now: () => Number(process.hrtime.bigint() / 1000n) / 1e6,
  date: () => new Date().toISOString(),
  after: (milliseconds, then) => {
    const timer = setTimeout(then, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** Seconds to the microsecond, the resolution of the clocks. */
export function rounded(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}

/** An ISO 8601 time as `2026-10-05 10:15:00 UTC`, whatever the reader's time zone. */
export function utc(time: string): string {
  return `${time.slice(0, 19).replace("T", " ")} UTC`;
}

/**
 * The end of a wait, by the machine's clock. The time of day would not do: it is corrected just when the network comes up.
 *
 * @returns how many milliseconds are left, 0 when none are
 */
export function deadlineIn(milliseconds: number): () => number {
  const end = systemClock.now() + milliseconds / 1000;
  return () => Math.max(0, (end - systemClock.now()) * 1000);
}

/** Waits for that many milliseconds. @returns false when the signal was aborted first */
export function pause(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve(signal?.aborted !== true);
    };
    const cancel = clock.after(signal?.aborted === true ? 0 : milliseconds, done);
    signal?.addEventListener("abort", done, { once: true });
  });
}
