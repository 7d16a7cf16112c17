import { mappings, requirePartition } from "../../system/disks/block-devices.ts";
import { pause, systemClock } from "../../base/clock.ts";
import { lowMark } from "./data-growth-marks.ts";
import type { WatchedMachine } from "../machine.ts";

/** Milliseconds between two checks: a file system sends no event when it fills up, and a check takes microseconds. */
const INTERVAL = 10_000;
/** Below the mark, a change by this share of the volume group calls for another inspection. */
const STEP = 1 / 200;

/** Yields when the data volume has less free space than it should have, and when it has enough again. */
export async function* watchDataSpace(machine: WatchedMachine, signal: AbortSignal): AsyncIterable<void> {
  const { host, layout } = machine;
  // The size of the physical volume, of which LVM keeps a few extents for itself: close enough for a hint.
  const { name } = await requirePartition(host, layout.partitions.store);
  const group = (await mappings(host)).get(layout.mappings.store(name))?.bytes ?? 0;
  for (let before: number | undefined; ;) {
    const { free } = await host.space(layout.mountPoints.data);
    const now = free < lowMark(group) * 1.01 ? Math.floor(free / (group * STEP)) : undefined;
    if (now !== before) yield;
    before = now;
    if (!(await pause(systemClock, INTERVAL, signal))) return;
  }
}
