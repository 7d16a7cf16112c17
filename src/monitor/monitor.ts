import { type Problem, toProblem } from "../base/problem.ts";
import { type Clock, pause } from "../base/clock.ts";
import type { Look } from "./monitor-look.ts";
import type { Watcher } from "../boot/unit.ts";

export interface MonitorOptions<M> {
  readonly watchers: readonly Watcher<M>[];
  /** Names of the units that are looked at as soon as it starts. */
  readonly atStart: readonly string[];
  readonly machine: M;
  /** Looks at the units of those names, or at all of them but those that make way, and mends what may be mended. */
  readonly look: (names: readonly string[] | undefined, signal: AbortSignal) => Promise<readonly Look[]>;
  /** For units that may not wait for what such a look takes to begin. */
  readonly quick?: QuickLooks;
  /** Told what an operator wants to read: what was mended, and what is newly wrong, or well again. */
  readonly tell: (news: News) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface QuickLooks {
  /** Names. */
  readonly units: readonly string[];
  /** Looks at one of them because of an event. @returns `undefined` where it takes the other kind of look */
  readonly look: (name: string, signal: AbortSignal) => Promise<Look | undefined>;
  /** Tells the rest of the node of what was seen, which the other kind of look does by itself. */
  readonly tellOthers: (signal: AbortSignal) => Promise<void>;
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
/** Seconds from a quick look that brought news until others are told: an event seldom comes alone. */
const TELL_OTHERS = 1;
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
  /** Of those, the names of units that an event has called for. */
  readonly #called = new Set<string>();
  /** When others are to be told of quick looks, in seconds of the clock; infinite when they know all. */
  #tellDue = Infinity;
  /** The last word on each unit. */
  readonly #last = new Map<string, Look>();
  /** How often in a row mending a unit has failed, and looking at all. */
  readonly #failures = new Map<string, number>();
  /** What was last told of each thing that could not be done. */
  readonly #complaints = new Map<string, string>();
  /** Names of the units whose look makes way for that at another one. */
  readonly #makingWay: ReadonlySet<string>;
  /** Gives up what goes on, where it makes way. */
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
          this.#call(name);
          if (!this.#makingWay.has(name)) this.#makeWay();
        }
      } catch (error) {
        if (!signal.aborted) this.#complain(`watching over ${name}`, error);
      }
      if (signal.aborted) return;
      await pause(clock, LONGEST_BACKOFF * 1000, signal);
      if (signal.aborted) return;
      // What happened meanwhile has not been seen.
      this.#call(name);
    }
  }

  async #lookWhenDue(): Promise<void> {
    const { clock, quick, signal } = this.#options;
    while (!signal.aborted) {
      const now = clock.now();
      const due = [...this.#due].filter(([, at]) => at <= now).map(([name]) => name);
      const urgent = due.filter((name) => !this.#makingWay.has(name));
      const first = urgent.find((name) => this.#called.has(name) && quick?.units.includes(name) === true);
      if (quick !== undefined && first !== undefined) await this.#lookQuickly(quick, first);
      else if (this.#allDue <= now) await this.#look(undefined);
      else if (urgent.length > 0) await this.#look(urgent);
      else if (due.length > 0) await this.#look(due);
      else if (quick !== undefined && this.#tellDue <= now) await this.#tellOthers(quick);
      else await this.#untilDue(Math.min(this.#allDue, this.#tellDue, ...this.#due.values()) - now);
    }
  }

  async #lookQuickly(quick: QuickLooks, name: string): Promise<void> {
    const { clock, signal } = this.#options;
    this.#forgetDue(name);
    const doing = `looking at ${name} at once`;
    let look: Look | undefined;
    try {
      look = await quick.look(name, signal);
      this.#complaints.delete(doing);
    } catch (error) {
      if (!signal.aborted) this.#complain(doing, error);
    }
    if (signal.aborted) return;
    if (look === undefined) return this.#look([name]);
    if (this.#learn(look)) this.#tellDue = Math.min(this.#tellDue, clock.now() + TELL_OTHERS);
  }

  async #tellOthers({ tellOthers }: QuickLooks): Promise<void> {
    const { clock, signal } = this.#options;
    const doing = "telling others of it";
    this.#tellDue = Infinity;
    const givenUp = this.#givingWay();
    try {
      await tellOthers(AbortSignal.any([signal, givenUp]));
      this.#complaints.delete(doing);
    } catch (error) {
      if (givenUp.aborted) this.#tellDue = clock.now() + MADE_WAY;
      // Not tried again: the next look tells them.
      else if (!signal.aborted) this.#complain(doing, error);
    } finally {
      this.#makeWay = () => undefined;
    }
  }

  async #look(names: readonly string[] | undefined): Promise<void> {
    const { clock, look, signal } = this.#options;
    // The look at everything leaves out those that make way: it is not given up, and they have their own right after it.
    for (const name of names ?? this.#due.keys()) if (names !== undefined || !this.#makingWay.has(name)) this.#forgetDue(name);
    if (names === undefined) {
      this.#allDue = clock.now() + LOOK_AT_ALL;
      for (const name of this.#makingWay) this.#makeDue(name, 0);
    }
    const doing = `looking at ${names?.join(", ") ?? "all units"}`;
    const givenUp = names?.every((name) => this.#makingWay.has(name)) === true ? this.#givingWay() : undefined;
    try {
      for (const seen of await look(names, givenUp === undefined ? signal : AbortSignal.any([signal, givenUp]))) this.#learn(seen);
      this.#failures.delete(ALL);
      this.#complaints.delete(doing);
      this.#tellDue = Infinity;
    } catch (error) {
      if (signal.aborted) return;
      if (givenUp?.aborted === true) {
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

  /** Aborted when a unit that does not make way calls. */
  #givingWay(): AbortSignal {
    const controller = new AbortController();
    this.#makeWay = () => controller.abort();
    return controller.signal;
  }

  #forgetDue(name: string): void {
    this.#due.delete(name);
    this.#called.delete(name);
  }

  /** @returns whether it is news */
  #learn(look: Look): boolean {
    const { name, kind, again } = look;
    const isNew = kind === "mended" || isNews(look, this.#last.get(name));
    if (isNew) this.#options.tell({ kind: "look", look });
    this.#last.set(name, look);
    if (kind === "failed") this.#makeDue(name, this.#backoff(name));
    else {
      this.#failures.delete(name);
      if (again !== undefined) this.#makeDue(name, again);
    }
    return isNew;
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

  /** Something has happened to that unit. */
  #call(name: string): void {
    this.#called.add(name);
    this.#makeDue(name, SETTLE);
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
