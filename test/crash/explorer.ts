import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withPanicRetry } from "../../vm/panic-retry.ts";
import { stateFolder } from "../../vm/paths.ts";
import { tool } from "../../vm/tool.ts";
import { faultsOf } from "./check-recovery.ts";
import { configAtCut } from "./config-at-cut.ts";
import { type Window, windowsOf, writesAfterCut, writesOf } from "./crash-states.ts";
import type { WriteLog } from "./log-writes.ts";
import { keptAt, type Point, pointName } from "./points.ts";
import { RawDisk } from "./raw-disk.ts";
import { crashFolder, type Recording } from "./recording.ts";
import { recovered, type Recovered } from "./recovered.ts";

/** What was found at a point: a line of the results. */
export interface Result {
  readonly recording: string;
  readonly seed: number;
  readonly point: string;
  /** Of the log: entries that were durable, and writes that were pending. */
  readonly durable: number;
  readonly pending: number;
  /** Of the pending writes, what had reached the disk. */
  readonly keptBytes: number;
  readonly seconds: { readonly rebuild: number; readonly boot: number };
  /** What the boot after the cut did that lasts. */
  readonly redone: readonly string[];
  /** What does not hold; nothing when all does. */
  readonly faults: readonly string[];
}

const COPY_TIMEOUT = 600_000;

/** Rebuilds the disk of a recording at one point after the other, and boots what is there. */
export class Explorer {
  readonly windows: readonly Window[];
  readonly #name: string;
  readonly #recording: Recording;
  readonly #log: WriteLog;
  readonly #seed: number;
  /** The disk as it was when all before `#durable` was durable; `undefined` before the first point. */
  #disk: RawDisk | undefined;
  #durable = 0;
  #undisturbed: Recovered["state"] | undefined;

  /** @param name of its machine: explorers of different names may work at the same time */
  constructor(name: string, recording: Recording, log: WriteLog, seed: number) {
    this.#name = name;
    this.windows = windowsOf(log.entries);
    this.#recording = recording;
    this.#log = log;
    this.#seed = seed;
  }

  /** Going on to a later point costs what was written between the two; going back, a copy of the disk. */
  async explore(point: Point): Promise<Result> {
    const undisturbed = await this.undisturbed();
    return this.#at(point, async (disk, { rebuild, keptBytes, window }) => {
      const cut = configAtCut(disk, join(stateFolder(this.#name), "config-at-cut.img"));
      const start = performance.now();
      const { after, faults } = await this.#boot(disk).then(
        (ended) => ({ after: ended, faults: faultsOf(cut, ended, undisturbed) }),
        (error: unknown) => ({
          after: undefined,
          faults: [`the boot did not end: ${error instanceof Error ? error.message : String(error)}`],
        }),
      );
      return {
        ...{ recording: this.#recording.id, seed: this.#seed, point: pointName(point) },
        ...{ durable: window.durable, pending: window.pending.length, keptBytes },
        seconds: { rebuild: seconds(rebuild), boot: seconds(performance.now() - start) },
        ...{ redone: after?.redone ?? [], faults },
      };
    });
  }

  /** The state that a node ends in whose first boot nothing came between: of the last point, at which all is written. */
  async undisturbed(): Promise<Recovered["state"]> {
    const file = join(crashFolder, "undisturbed.json");
    if (this.#undisturbed === undefined && existsSync(file)) {
      this.#undisturbed = JSON.parse(await readFile(file, "utf8")) as Recovered["state"];
    }
    if (this.#undisturbed !== undefined) return this.#undisturbed;
    const { failure, state } = await this.#at({ window: this.windows.length - 1, variant: 1 }, async (disk) => this.#boot(disk));
    if (failure !== undefined) throw new Error(`the boot after the undisturbed one failed: ${failure}`);
    await writeFile(file, `${JSON.stringify(state, undefined, 2)}\n`);
    return (this.#undisturbed = state);
  }

  async #at<T>(
    point: Point,
    look: (disk: RawDisk, facts: { readonly rebuild: number; readonly keptBytes: number; readonly window: Window }) => Promise<T>,
  ): Promise<T> {
    const start = performance.now();
    const window = this.windows[point.window];
    if (window === undefined) throw new Error(`there is no window ${point.window}`);
    const disk = await this.#diskBefore(window.durable);
    disk.apply(writesOf(this.#log, this.#durable, window.durable));
    this.#durable = window.durable;
    const writes = writesAfterCut(this.#log, window, keptAt(point, window, this.#seed));
    const keptBytes = writes.reduce((sum, { length }) => sum + length, 0);
    return disk.with(writes, async () => look(disk, { rebuild: performance.now() - start, keptBytes, window }));
  }

  /** The disk at some point not after that one. */
  async #diskBefore(durable: number): Promise<RawDisk> {
    if (this.#disk !== undefined && this.#durable <= durable) return this.#disk;
    this.#disk?.[Symbol.dispose]();
    await mkdir(stateFolder(this.#name), { recursive: true });
    const path = join(stateFolder(this.#name), "replayed.img");
    await rm(path, { force: true });
    await tool("cp", ["--sparse=always", this.#recording.base, path], { timeout: COPY_TIMEOUT });
    this.#durable = 0;
    return (this.#disk = new RawDisk(path));
  }

  /** On an overlay: the next point goes on from the disk as it was. */
  async #boot(disk: RawDisk): Promise<Recovered> {
    const overlay = join(stateFolder(this.#name), "overlay.qcow2");
    return withPanicRetry(async () => {
      await rm(overlay, { force: true });
      await tool("qemu-img", ["create", "-q", "-f", "qcow2", "-b", disk.path, "-F", "raw", overlay]);
      try {
        return await recovered(this.#name, { path: overlay }, this.#recording.medium);
      } finally {
        await rm(overlay, { force: true });
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disk === undefined) return;
    this.#disk[Symbol.dispose]();
    await rm(this.#disk.path, { force: true });
  }
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
