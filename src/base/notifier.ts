/** Rings for whoever waits. What rings while nobody waits is heard by the next who does; several rings are then one. */
export class Bell {
  #rung = false;
  #wake = (): void => undefined;

  readonly ring = (): void => {
    this.#rung = true;
    this.#wake();
  };

  /** True once it has rung since the last time, false when the signal is aborted first. One waits at a time. */
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
