import type { Layout, Slot } from "../config/layout/layout.ts";
import { requireDevice } from "../system/disks/block-devices.ts";
import type { Host } from "../system/host.ts";
import { mounts } from "../system/disks/mounts.ts";
import { ProblemError } from "../base/problem.ts";

/** A partition, or in tests a file in its place. */
export interface Place {
  readonly path: string;
  readonly bytes: number;
  readonly kind: "block-device" | "file";
}

/** The partitions of a slot that an install writes. */
export interface SlotPlaces {
  readonly boot: Place;
  readonly root: Place;
  readonly var: Place;
}

/**
 * Finds the partitions of a slot that is to be overwritten, on the disk that the system runs from.
 *
 * @throws ProblemError when one is missing, or in use: mounted, or below a mapping. Only what the kernel has open counts here, not names or
 *   the boot loader's state
 */
export async function unusedSlotPlaces(host: Host, layout: Layout, slot: Slot): Promise<SlotPlaces> {
  const mounted = await mounts(host);
  const place = async (label: string): Promise<Place> => {
    const { name, device, bytes, deviceNumber } = await requireDevice(host, label);
    const mount = mounted.find((each) => each.device === deviceNumber);
    const holders = (await host.list(`/sys/class/block/${name}/holders`)) ?? [];
    if (mount !== undefined || holders.length > 0) {
      throw new ProblemError({
        code: "slot-in-use",
        what: `${label} (${device}) is in use, so nothing is installed there`,
        found: mount === undefined ? `open as ${holders.join(", ")}` : `mounted at ${mount.mountPoint}`,
        expected: "a partition that no one uses: that of the system which is not running",
        todo: `unmount it, if it is not part of the running system; guestos-boot upgrade status shows what runs`,
      });
    }
    return { path: device, bytes, kind: "block-device" };
  };
  return {
    boot: await place(layout.partitions.boot(slot)),
    root: await place(layout.partitions.root(slot)),
    var: await place(layout.partitions.var(slot)),
  };
}
