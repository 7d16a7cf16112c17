import { type Problem, toProblem } from "../system/problem.ts";
import { type Clock, pause } from "./clock.ts";
import type { Look } from "./monitor-look.ts";
import type { Watcher } from "./unit.ts";

export interface MonitorOptions<M> {
  readonly watchers: readonly Watcher<M>[];
  /** Names of the units that are looked at as soon as it starts. */
  readonly atStart: readonly string[];
  readonly machine: M;
  /** Looks at the units of those names, or at all of them, and mends what may be mended. */
  readonly look: (names: readonly string[] | undefined, signal: AbortSignal) => Promise<readonly Look[]>;
  /** Told what an operator wants to read: what was mended, and what is newly wrong, or well again. */
  readonly tell: (news: News) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export type News =
  | { readonly kind: "look"; readonly look: Look }
  /** The monitor itself could not do something. */
  | { readonly kind: "trouble"; readonly doing: string; readonly problem: Problem };

/** Seconds between two looks at everything: for what has no event. The first comes sooner, but not while the node still starts. */
const LOOK_AT_ALL = 3600;
const FIRST_LOOK_AT_ALL = 600;
/** Seconds from an event to the look: a file is seldom written in one piece. */
const SETTLE = 0.025;
/** Seconds until a unit that made way for another one is looked at again. */
const MADE_WAY = 1;
/** Seconds until something is tried again; doubled from try to try. */
const FIRST_BACKOFF = 30;
const LONGEST_BACKOFF = 300;
/** Milliseconds. Beyond that, a timer of Node's would fire at once (2^31 - 1). */
const LONGEST_TIMER = 86_400_000;

/** Keeps a node as the boot left it: waits for what calls for a look, looks, mends where that is safe, and says the rest. */
export class Monitor<M> {
  readonly #options: MonitorOptions<M>;
  /** When each unit is to be looked at, in seconds of the clock. */
  readonly #due = new Map<string, number>();
  #allDue: number;
  /** The last word on each unit. */
  readonly #last = new Map<string, Look>();
  /** How often in a row mending a unit has failed, and looking at all. */
  readonly #failures = new Map<string, number>();
  /** What was last told of each thing that could not be done. */
  readonly #complaints = new Map<string, string>();
  /** Names of the units whose look makes way for that at another one. */
  readonly #makingWay: ReadonlySet<string>;
  /** Gives up the look that goes on, where it makes way. */
  #makeWay = (): void => undefined;
  #wake = (): void => undefined;

  constructor(options: MonitorOptions<M>) {
    this.#options = options;
    const now = options.clock.now();
    this.#makingWay = new Set(options.watchers.filter(({ makesWay }) => makesWay).map(({ name }) => name));
    for (const name of options.atStart) this.#due.set(name, now);
    this.#allDue = now + FIRST_LOOK_AT_ALL;
  }

  /** Resolves when the signal is aborted and everything has ended. */
  async run(): Promise<void> {
    const { signal, watchers } = this.#options;
    const stop = (): void => this.#wake();
    signal.addEventListener("abort", stop, { once: true });
    await Promise.all([this.#lookWhenDue(), ...watchers.map((watcher) => this.#follow(watcher))]);
    signal.removeEventListener("abort", stop);
  }

  async #follow({ name, watch }: Watcher<M>): Promise<void> {
    const { clock, machine, signal } = this.#options;
    for (;;) {
      try {
        for await (const _ of watch(machine, signal)) {
          this.#makeDue(name, SETTLE);
          if (!this.#makingWay.has(name)) this.#makeWay();
        }
      } catch (error) {
        if (!signal.aborted) this.#complain(`watching over ${name}`, error);
      }
      if (signal.aborted) return;
      await pause(clock, LONGEST_BACKOFF * 1000, signal);
      if (signal.aborted) return;
      // What happened meanwhile has not been seen.
      this.#makeDue(name, SETTLE);
    }
  }

  async #lookWhenDue(): Promise<void> {
    const { clock, signal } = this.#options;
    while (!signal.aborted) {
      const now = clock.now();
      const due = [...this.#due].filter(([, at]) => at <= now).map(([name]) => name);
      const urgent = due.filter((name) => !this.#makingWay.has(name));
      if (this.#allDue <= now) await this.#look(undefined);
      else if (urgent.length > 0) await this.#look(urgent);
      else if (due.length > 0) await this.#look(due);
      else await this.#untilDue(Math.min(this.#allDue, ...this.#due.values()) - now);
    }
  }

  async #look(names: readonly string[] | undefined): Promise<void> {
    const { clock, look, signal } = this.#options;
    for (const name of names ?? this.#due.keys()) this.#due.delete(name);
    if (names === undefined) this.#allDue = clock.now() + LOOK_AT_ALL;
    const doing = `looking at ${names?.join(", ") ?? "all units"}`;
    const givenUp = new AbortController();
    if (names?.every((name) => this.#makingWay.has(name))) this.#makeWay = () => givenUp.abort();
    try {
      for (const seen of await look(names, AbortSignal.any([signal, givenUp.signal]))) this.#learn(seen);
      this.#failures.delete(ALL);
      this.#complaints.delete(doing);
    } catch (error) {
      if (signal.aborted) return;
      if (givenUp.signal.aborted) {
        for (const name of names ?? []) this.#makeDue(name, MADE_WAY);
        return;
      }
      this.#complain(doing, error);
      const again = this.#backoff(ALL);
      if (names === undefined) this.#allDue = clock.now() + again;
      else for (const name of names) this.#makeDue(name, again);
    } finally {
      this.#makeWay = () => undefined;
    }
  }

  #learn(look: Look): void {
    const { name, kind, again } = look;
    if (kind === "mended" || isNews(look, this.#last.get(name))) this.#options.tell({ kind: "look", look });
    this.#last.set(name, look);
    if (kind === "failed") return this.#makeDue(name, this.#backoff(name));
    this.#failures.delete(name);
    if (again !== undefined) this.#makeDue(name, again);
  }

  #complain(doing: string, error: unknown): void {
    const problem = toProblem(error);
    const text = JSON.stringify(problem);
    if (this.#complaints.get(doing) !== text) this.#options.tell({ kind: "trouble", doing, problem });
    this.#complaints.set(doing, text);
  }

  /** Seconds until the next try. */
  #backoff(name: string): number {
    const before = this.#failures.get(name) ?? 0;
    this.#failures.set(name, before + 1);
    return Math.min(FIRST_BACKOFF * 2 ** before, LONGEST_BACKOFF);
  }

  /** The sooner of two times counts. */
  #makeDue(name: string, seconds: number): void {
    const at = this.#options.clock.now() + seconds;
    this.#due.set(name, Math.min(at, this.#due.get(name) ?? Infinity));
    this.#wake();
  }

  async #untilDue(seconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#wake = () => resolve(undefined);
    const cancel = this.#options.clock.after(Math.min(seconds * 1000, LONGEST_TIMER), this.#wake);
    if (this.#options.signal.aborted) this.#wake();
    await promise;
    cancel();
  }
}

/** No unit's name. */
const ALL = "";

/** That all is well is news only where it was not. */
function isNews(look: Look, before: Look | undefined): boolean {
  return JSON.stringify([look.problem, look.drift]) !== JSON.stringify([before?.problem, before?.drift ?? []]);
}
