import type { Clock } from "../../src/base/clock.ts";

interface Alarm {
  readonly due: number;
  readonly then: () => void;
}

/**
 * A clock that jumps to the next alarm as soon as nothing else is left to do: runs take no real time, and the same
 * calls always give the same times. Milliseconds inside, so that no rounding creeps in.
 */
export class VirtualClock implements Clock {
  milliseconds = 0;
  readonly #alarms = new Set<Alarm>();
  #ticking = false;

  readonly now = (): number => this.milliseconds / 1000;
  readonly date = (): string => new Date(this.milliseconds).toISOString();

  readonly after = (milliseconds: number, then: () => void): (() => void) => {
    // Like setTimeout, which knows no time shorter than a millisecond.
    const alarm = { due: this.milliseconds + Math.max(1, Math.ceil(milliseconds)), then };
    this.#alarms.add(alarm);
    this.#tick();
    return () => this.#alarms.delete(alarm);
  };

  /** Resolves after that many milliseconds. */
  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void this.after(milliseconds, resolve));
  }

  #tick(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    // All promises that can go on have gone on when the event loop comes to this.
    setImmediate(() => {
      this.#ticking = false;
      const next = this.#alarms
        .values()
        .reduce<Alarm | undefined>((first, alarm) => (first !== undefined && first.due <= alarm.due ? first : alarm), undefined);
      if (next === undefined) return;
      this.#alarms.delete(next);
      this.milliseconds = next.due;
      next.then();
      if (this.#alarms.size > 0) this.#tick();
    });
  }
}
