import type { UnfinishedRun } from "../config/state/unfinished-run.ts";
import { type Clock, pause } from "../base/clock.ts";

/**
 * The store in which a run notes, durably across a power loss, which permanent change it is about to make. The runner knows no such place;
 * the caller supplies it.
 *
 * None of these functions throws: a run must not stop because the mark for the next run could not be written.
 */
export interface RunMark {
  readonly find: () => Promise<FoundMark>;
  /** Replaces the current mark. The mark is durable when this returns. */
  readonly write: (run: UnfinishedRun) => Promise<void>;
  /** Removes the mark, even one that an earlier run left. */
  readonly remove: () => Promise<void>;
}

/** The mark that an earlier run left. */
export type FoundMark =
  | { readonly kind: "nothing" }
  | { readonly kind: "unfinished"; readonly before: UnfinishedRun }
  /** A mark is there, but it cannot be read. */
  | { readonly kind: "unreadable" }
  /** The place cannot be checked yet. */
  | { readonly kind: "out-of-reach" };

/** Milliseconds to wait for a disk that does not answer; then the run goes on without a mark. A loaded machine syncs in less. */
const TIME_LIMIT = 10_000;
/** The same at the end of a run, which may have been told to stop and has promised to end soon. */
const LAST_PATIENCE = 2_000;

/** Keeps the mark of one run up to date. */
export class MarkKeeper {
  readonly #mark: RunMark | undefined;
  readonly #run: Omit<UnfinishedRun, "at">;
  readonly #onFound: (before: UnfinishedRun) => void;
  readonly #clock: Clock;
  /** For each unit that has begun a change and has not ended: the last action that it began. */
  readonly #steps = new Map<string, string>();
  #hasInspected = false;
  /** The number of changes to the steps, and how many of them a written mark covers. */
  #changes = 0;
  #noted = 0;
  #isThere = false;
  /** A wait ended without success: from now on no unit waits for the mark. */
  #isGivenUp = false;
  /** Serializes the operations: units run at the same time. */
  #last: Promise<void> = Promise.resolve();

  /** @param onFound called at most once, with what an earlier run left */
  constructor(mark: RunMark | undefined, run: Omit<UnfinishedRun, "at">, clock: Clock, onFound: (before: UnfinishedRun) => void) {
    this.#mark = mark;
    this.#clock = clock;
    this.#run = run;
    this.#onFound = onFound;
  }

  /** Checks for a mark of an earlier run, as soon as its place can be read. */
  async inspect(): Promise<void> {
    if (this.#mark === undefined || this.#hasInspected) return;
    await this.#next(async (mark) => this.#find(mark));
  }

  /** Await this before a unit changes anything permanently. */
  async begin(unit: string, action: string): Promise<void> {
    if (this.#mark === undefined) return;
    this.#steps.set(unit, action);
    await this.#note();
  }

  /** The unit has ended. The mark is updated in the background. */
  end(unit: string): void {
    if (this.#steps.delete(unit)) void this.#note();
  }

  /** The run has ended in order, successfully or not. */
  async close(): Promise<void> {
    await this.#next(async (mark) => {
      if (this.#isThere) await mark.remove();
    }, LAST_PATIENCE);
  }

  async #note(): Promise<void> {
    this.#changes += 1;
    const mine = this.#changes;
    await this.#next(async (mark) => {
      // Already covered by a mark that was written for a later change.
      if (this.#noted >= mine) return;
      await this.#find(mark);
      this.#noted = this.#changes;
      this.#isThere = true;
      await mark.write({ ...this.#run, at: [...this.#steps].map(([unit, action]) => ({ unit, action })) });
    });
  }

  async #find(mark: RunMark): Promise<void> {
    if (this.#hasInspected) return;
    const found = await mark.find();
    this.#hasInspected = found.kind !== "out-of-reach";
    this.#isThere = found.kind === "unfinished" || found.kind === "unreadable";
    if (found.kind === "unfinished") this.#onFound(found.before);
  }

  /** Resolves when the work is done, and at the latest when the limit is used up. */
  async #next(work: (mark: RunMark) => Promise<void>, limit = this.#isGivenUp ? 0 : TIME_LIMIT): Promise<void> {
    const mark = this.#mark;
    if (mark === undefined) return;
    const done = this.#last.then(async () => work(mark));
    this.#last = done;
    const inTime = new AbortController();
    await Promise.race([
      done,
      pause(this.#clock, limit, inTime.signal).then(() => {
        if (!inTime.signal.aborted) this.#isGivenUp = true;
      }),
    ]);
    inTime.abort();
  }
}
