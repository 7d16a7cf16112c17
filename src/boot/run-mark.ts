import type { UnfinishedRun } from "../config/state/unfinished-run.ts";
import { type Clock, pause } from "../base/clock.ts";

/**
 * Where a run notes, beyond a loss of power, what it is about to change for good. The runner knows no place for that; it is given one.
 *
 * None of these throws: a run is not stopped because nobody could tell the next one of it.
 */
export interface RunMark {
  readonly find: () => Promise<FoundMark>;
  /** Replaces what stands there. Durable when it returns. */
  readonly write: (run: UnfinishedRun) => Promise<void>;
  /** Also of what an earlier run left. */
  readonly remove: () => Promise<void>;
}

/** What a run before this one left. */
export type FoundMark =
  | { readonly kind: "nothing" }
  | { readonly kind: "unfinished"; readonly before: UnfinishedRun }
  /** Something; nobody can tell what. */
  | { readonly kind: "unreadable" }
  /** The place cannot be looked at yet. */
  | { readonly kind: "out-of-reach" };

/** Milliseconds for a disk that does not answer: then the run goes on without a mark. A loaded machine syncs in less. */
const PATIENCE = 10_000;
/** The same at the end of a run, which may have been told to stop and has promised to end soon. */
const LAST_PATIENCE = 2_000;

/** Keeps the mark of one run true. */
export class MarkKeeper {
  readonly #mark: RunMark | undefined;
  readonly #run: Omit<UnfinishedRun, "at">;
  readonly #onFound: (before: UnfinishedRun) => void;
  readonly #clock: Clock;
  /** What each unit that has begun something, and has not ended, began last. */
  readonly #steps = new Map<string, string>();
  #hasLooked = false;
  /** How often that has changed, and how many of these changes a mark was written for. */
  #changes = 0;
  #noted = 0;
  #isThere = false;
  /** Something was waited for in vain: nobody waits for the mark any more. */
  #isGivenUp = false;
  /** One thing at a time: units run at once. */
  #last: Promise<void> = Promise.resolve();

  /** @param onFound told, at most once, of what a run before this one left */
  constructor(mark: RunMark | undefined, run: Omit<UnfinishedRun, "at">, clock: Clock, onFound: (before: UnfinishedRun) => void) {
    this.#mark = mark;
    this.#clock = clock;
    this.#run = run;
    this.#onFound = onFound;
  }

  /** Looks for what a run before this one left, as soon as that can be seen. */
  async look(): Promise<void> {
    if (this.#mark === undefined || this.#hasLooked) return;
    await this.#next(async (mark) => this.#find(mark));
  }

  /** To be waited for before a unit changes something for good. */
  async begin(unit: string, action: string): Promise<void> {
    if (this.#mark === undefined) return;
    this.#steps.set(unit, action);
    await this.#note();
  }

  /** The unit has ended. Nobody has to wait until that is noted. */
  end(unit: string): void {
    if (this.#steps.delete(unit)) void this.#note();
  }

  /** The run has ended in order, well or not. */
  async close(): Promise<void> {
    await this.#next(async (mark) => {
      if (this.#isThere) await mark.remove();
    }, LAST_PATIENCE);
  }

  async #note(): Promise<void> {
    this.#changes += 1;
    const mine = this.#changes;
    await this.#next(async (mark) => {
      // Written together with one that came before it.
      if (this.#noted >= mine) return;
      await this.#find(mark);
      this.#noted = this.#changes;
      this.#isThere = true;
      await mark.write({ ...this.#run, at: [...this.#steps].map(([unit, action]) => ({ unit, action })) });
    });
  }

  async #find(mark: RunMark): Promise<void> {
    if (this.#hasLooked) return;
    const found = await mark.find();
    this.#hasLooked = found.kind !== "out-of-reach";
    this.#isThere = found.kind === "unfinished" || found.kind === "unreadable";
    if (found.kind === "unfinished") this.#onFound(found.before);
  }

  /** Resolves when that is done, and at the latest when patience is at its end. */
  async #next(work: (mark: RunMark) => Promise<void>, patience = this.#isGivenUp ? 0 : PATIENCE): Promise<void> {
    const mark = this.#mark;
    if (mark === undefined) return;
    const done = this.#last.then(async () => work(mark));
    this.#last = done;
    const inTime = new AbortController();
    await Promise.race([
      done,
      pause(this.#clock, patience, inTime.signal).then(() => {
        if (!inTime.signal.aborted) this.#isGivenUp = true;
      }),
    ]);
    inTime.abort();
  }
}
