/** Wakes the task that waits. A ring that comes while no task waits is kept for the next one. Several rings then count as one. */
export class Bell {
  #rung = false;
  #wake = (): void => undefined;

  readonly ring = (): void => {
    this.#rung = true;
    this.#wake();
  };

  /** Waits for a ring since the last call. Only one task may wait at a time. @returns false when the signal is aborted first */
  async heard(signal: AbortSignal): Promise<boolean> {
    if (!this.#rung && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const wake = (): void => resolve(undefined);
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
      await promise;
      signal.removeEventListener("abort", wake);
    }
    this.#rung = false;
    return !signal.aborted;
  }
}
