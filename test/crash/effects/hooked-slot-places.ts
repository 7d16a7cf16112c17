/** Takes the place of src/upgrade/slot-places.ts: the partitions of the other slot are files. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Layout, Slot } from "../../../src/config/layout/layout.ts";
import type { Host } from "../../../src/system/host.ts";
import type { Place, SlotPlaces } from "../../../src/upgrade/slot-places.ts";

export type * from "../../../src/upgrade/slot-places.ts";

export async function unusedSlotPlaces(_: Host, layout: Layout, slot: Slot): Promise<SlotPlaces> {
  const place = (kind: string): Place => {
    const path = join(layout.mountPoints.boot, "../dev", `${slot}_${kind}`);
    return { path, bytes: statSync(path).size, kind: "file" };
  };
  return { boot: place("boot"), root: place("root"), var: place("var") };
}
