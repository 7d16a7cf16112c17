import { expect, test } from "vitest";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { unusedSlotPlaces } from "../../../src/upgrade/slot-places.ts";
import { type FakeHost, fakeHost } from "../../support/fake-host.ts";

const LABELS = { vda4: "A_boot", vda5: "A_root", vda6: "A_var", vda7: "B_boot", vda8: "B_root", vda9: "B_var" };

function node(mounted: readonly string[], holders: Readonly<Record<string, string>> = {}): FakeHost {
  const files: Record<string, string> = {
    "/proc/self/mountinfo": ["1 0 254:5 / / ro - ext4 /dev/root ro", ...mounted.map((line, index) => `${index + 2} 1 ${line}`), ""].join(
      "\n",
    ),
  };
  for (const [name, label] of Object.entries(LABELS)) {
    const number = name.slice(3);
    const folder = `/sys/class/block/${name}`;
    files[`/sys/class/block/vda/${name}/partition`] = number;
    files[`${folder}/partition`] = number;
    files[`${folder}/uevent`] = `PARTN=${number}\nPARTNAME=${label}\n`;
    files[`${folder}/size`] = "2048\n";
    files[`${folder}/dev`] = `254:${number}\n`;
  }
  for (const [name, holder] of Object.entries(holders)) files[`/sys/class/block/${name}/holders/${holder}/dev`] = "253:0\n";
  return fakeHost({ files, links: { "/sys/dev/block/254:5": "../../devices/virtio/block/vda/vda5" } });
}

test("the partitions of the slot that does not run are found", async () => {
  expect(await unusedSlotPlaces(node([]), guestosLayout, "B")).toEqual({
    boot: { path: "/dev/vda7", bytes: 1_048_576, kind: "block-device" },
    root: { path: "/dev/vda8", bytes: 1_048_576, kind: "block-device" },
    var: { path: "/dev/vda9", bytes: 1_048_576, kind: "block-device" },
  });
});

test("the slot that runs is never given, whatever anything else says", async () => {
  await expect(unusedSlotPlaces(node([]), guestosLayout, "A")).rejects.toThrow(/A_root \(\/dev\/vda5\) is in use.*mounted at \//);
});

test("a partition that is mounted, under whatever name, is not given", async () => {
  const host = node(["254:8 / /mnt/look ro - ext4 /dev/disk/by-label/x ro"]);
  await expect(unusedSlotPlaces(host, guestosLayout, "B")).rejects.toThrow(/B_root \(\/dev\/vda8\) is in use.*mounted at \/mnt\/look/);
});

test("a partition below a mapping is not given", async () => {
  await expect(unusedSlotPlaces(node([], { vda9: "dm-0" }), guestosLayout, "B")).rejects.toThrow(
    /B_var \(\/dev\/vda9\) is in use.*open as dm-0/,
  );
});
