import { rm } from "node:fs/promises";
import { join } from "node:path";
import { stateFolder } from "../../image/paths.ts";
import type { WriteLog } from "./log-writes.ts";
import { type Point, pointName } from "./points.ts";
import type { RawDisk } from "./raw-disk.ts";
import type { Recording } from "./recording.ts";
import { type AtCut, Replay } from "./replay.ts";

/** What was found on the disk at a point. */
export interface Inspected {
  readonly point: string;
  /** What no cut may leave there. */
  readonly faults: readonly string[];
}

/** Inspects one disk after the other, in the order of the recording. @param scratch a file of its own */
export type Inspection = (disk: RawDisk, at: AtCut, scratch: string) => Promise<readonly string[]>;

/**
 * Inspects the disks that cuts leave without booting them: what a boot would have to go by. That costs a hundredth of a boot, and so
 * it is done at many more points.
 *
 * @param name of the folder in which it works
 */
export async function* inspect(
  name: string,
  { recording, log, inspection }: { readonly recording: Recording; readonly log: WriteLog; readonly inspection: Inspection },
  points: readonly Point[],
  seed: number,
): AsyncGenerator<Inspected> {
  const folder = stateFolder(name);
  const scratch = join(folder, "config-at-cut.img");
  await using replay = new Replay(join(folder, "inspected.img"), recording, log, seed);
  for (const point of points.toSorted((one, two) => one.window - two.window)) {
    const faults = await replay.at(point, async (disk, at) => {
      try {
        return await inspection(disk, at, scratch);
      } catch (error) {
        return [error instanceof Error ? error.message : String(error)];
      }
    });
    yield { point: pointName(point), faults };
  }
  await rm(scratch, { force: true });
}
