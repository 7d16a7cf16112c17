import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { tool } from "../../lab/tool.ts";
import { type DiskWrite, type Window, windowsOf, writesAfterCut, writesOf } from "./crash-states.ts";
import type { WriteLog } from "./log-writes.ts";
import { keptAt, type Point } from "./points.ts";
import { RawDisk } from "./raw-disk.ts";
import type { Recording } from "./recording.ts";

/** The disk as a cut left it. */
export interface AtCut {
  readonly window: Window;
  /** All that may be another than when the disk was inspected before: at the first time, the whole of it. */
  readonly changed: readonly Range[];
  /** Of the pending writes, what had reached the disk. */
  readonly keptBytes: number;
}

/** In bytes. */
export type Range = Pick<DiskWrite, "offset" | "length">;

const COPY_TIMEOUT = 600_000;

/** The windows of what is recorded. What came before it only made the disk ready. */
export function windowsIn({ from }: Recording, log: WriteLog): readonly Window[] {
  return windowsOf(log.entries).filter(({ durable }) => durable >= from);
}

/** Rebuilds the disk of a recording at one point after the other. Going on to a later point costs what was written between the two; going back, a copy of the disk. */
export class Replay {
  readonly windows: readonly Window[];
  readonly #path: string;
  readonly #recording: Recording;
  readonly #log: WriteLog;
  readonly #seed: number;
  /** The disk as it was when all before `#durable` was durable; `undefined` before the first point. */
  #disk: RawDisk | undefined;
  #durable = 0;
  #changed: readonly Range[] = [];

  /** @param path where the disk is rebuilt */
  constructor(path: string, recording: Recording, log: WriteLog, seed: number) {
    this.windows = windowsIn(recording, log);
    this.#path = path;
    this.#recording = recording;
    this.#log = log;
    this.#seed = seed;
  }

  /** @param inspect reads the disk as it is at that point; afterwards the pending writes are taken back */
  async at<T>(point: Point, inspect: (disk: RawDisk, facts: AtCut) => T | Promise<T>): Promise<T> {
    const window = this.windows[point.window];
    if (window === undefined) throw new Error(`there is no window ${point.window}`);
    const disk = await this.#diskBefore(window.durable);
    const since = writesOf(this.#log, this.#durable, window.durable);
    disk.apply(since);
    this.#durable = window.durable;
    const kept = writesAfterCut(this.#log, window, keptAt(point, window, this.#seed));
    const changed = [...this.#changed, ...since, ...kept].map(({ offset, length }) => ({ offset, length }));
    this.#changed = kept.map(({ offset, length }) => ({ offset, length }));
    const keptBytes = kept.reduce((sum, { length }) => sum + length, 0);
    return disk.with(kept, async () => inspect(disk, { window, changed, keptBytes }));
  }

  /** The disk at some point not after that one. */
  async #diskBefore(durable: number): Promise<RawDisk> {
    if (this.#disk !== undefined && this.#durable <= durable) return this.#disk;
    this.#disk?.[Symbol.dispose]();
    await mkdir(dirname(this.#path), { recursive: true });
    await rm(this.#path, { force: true });
    await tool("cp", ["--sparse=always", this.#recording.base, this.#path], { timeout: COPY_TIMEOUT });
    this.#durable = 0;
    this.#disk = new RawDisk(this.#path);
    this.#changed = [{ offset: 0, length: this.#disk.size }];
    return this.#disk;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disk === undefined) return;
    this.#disk[Symbol.dispose]();
    await rm(this.#path, { force: true });
  }
}
