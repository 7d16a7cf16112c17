import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Accelerator } from "../../lab/accelerator.ts";
import { makeDisk } from "../../lab/disk.ts";
import { withPanicRetry } from "../../lab/panic-retry.ts";
import { stateFolder } from "../../image/paths.ts";
import type { DiskAttachment } from "../../lab/qemu-command.ts";
import { type ConfigAtCut, configAtCut } from "./config-at-cut.ts";
import type { WriteLog } from "./log-writes.ts";
import { type Point, pointName } from "./points.ts";
import type { RawDisk } from "./raw-disk.ts";
import type { Recording } from "./recording.ts";
import { Replay } from "./replay.ts";

/** What was found at a point: a line of the results. */
export interface Result extends Booted {
  /** What booted it. */
  readonly machine: Accelerator["kind"];
  readonly recording: string;
  readonly seed: number;
  readonly point: string;
  /** Of the log: entries that were durable, and writes that were pending. */
  readonly durable: number;
  readonly pending: number;
  /** Of the pending writes, what had reached the disk. */
  readonly keptBytes: number;
  readonly seconds: { readonly rebuild: number; readonly boot: number };
}

/** How the boot after a cut went. */
export interface Booted {
  /** What came of it, where more than one thing may. */
  readonly outcome?: string;
  /** What it did that lasts. */
  readonly redone: readonly string[];
  /** What does not hold; nothing when all does. */
  readonly faults: readonly string[];
}

/** Boots a disk that a cut left, on a machine of that name, and holds what comes of it against what must. */
export type Judge = (
  machine: string,
  disk: DiskAttachment,
  left: { readonly disk: RawDisk; readonly config: ConfigAtCut },
) => Promise<Booted>;

/** Rebuilds the disk of a recording at one point after the other, and boots what is there. */
export class Explorer {
  readonly #name: string;
  readonly #recording: Recording;
  readonly #replay: Replay;
  readonly #seed: number;
  readonly #judge: Judge;
  readonly #kind: Accelerator["kind"];

  /** @param name of its machine: explorers of different names may work at the same time */
  constructor(
    name: string,
    {
      recording,
      log,
      judge,
      accelerator,
    }: { readonly recording: Recording; readonly log: WriteLog; readonly judge: Judge; readonly accelerator: Accelerator },
    seed: number,
  ) {
    this.#name = name;
    this.#recording = recording;
    this.#replay = new Replay(join(stateFolder(name), "replayed.img"), recording, log, seed);
    this.#seed = seed;
    this.#judge = judge;
    this.#kind = accelerator.kind;
  }

  /** Going on to a later point costs what was written between the two; going back, a copy of the disk. */
  async explore(point: Point): Promise<Result> {
    const begin = performance.now();
    return this.#replay.at(point, async (disk, { window, keptBytes }) => {
      const rebuild = performance.now() - begin;
      const config = await configAtCut(disk, join(stateFolder(this.#name), "config-at-cut.img"));
      const start = performance.now();
      const judged = async (copy: DiskAttachment): Promise<Booted> => this.#judge(this.#name, copy, { disk, config });
      const booted = await onOverlay(this.#name, disk, judged, this.#kind).catch((error: unknown): Booted => ({
        redone: [],
        faults: [`the boot did not end: ${error instanceof Error ? error.message : String(error)}`],
      }));
      return {
        ...{ machine: this.#kind, recording: this.#recording.id, seed: this.#seed, point: pointName(point) },
        ...{ durable: window.durable, pending: window.pending.length, keptBytes },
        seconds: { rebuild: seconds(rebuild), boot: seconds(performance.now() - start) },
        ...booted,
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#replay[Symbol.asyncDispose]();
  }
}

/** Lets a machine of that name run on the disk, which stays as it is: on an overlay, or on a copy where the machine has only raw disks. */
export async function onOverlay<T>(
  machine: string,
  { path }: RawDisk,
  run: (disk: DiskAttachment) => Promise<T>,
  kind?: Accelerator["kind"],
): Promise<T> {
  const format = kind === "user-mode" ? "raw" : "qcow2";
  const overlay = join(stateFolder(machine), `overlay.${format}`);
  return withPanicRetry(async () => {
    await makeDisk({ backing: path, path: overlay, format });
    try {
      return await run({ path: overlay, format });
    } finally {
      await rm(overlay, { force: true });
    }
  });
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
