/** Wakes the task that waits. A notification while no task waits is kept for the next one. Several then count as one. */
export class Notifier {
  #pending = false;
  #wake = (): void => undefined;

  readonly notify = (): void => {
    this.#pending = true;
    this.#wake();
  };

  /** Waits for a notify since the last call. Only one task may wait at a time. @returns false when the signal is aborted first */
  async notified(signal: AbortSignal): Promise<boolean> {
    if (!this.#pending && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const wake = (): void => resolve(undefined);
      this.#wake = wake;
      signal.addEventListener("abort", wake, { once: true });
      await promise;
      signal.removeEventListener("abort", wake);
    }
    this.#pending = false;
    return !signal.aborted;
  }
}
