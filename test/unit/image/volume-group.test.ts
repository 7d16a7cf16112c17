import { expect, test } from "vitest";
import { hostosArguments, hostosDisk } from "../../../image/volume-group.ts";
import { profiles } from "../../../src/profiles/profiles.ts";

/** First extent and extents (dfinity/ic, ic-os/hostos/volumes.csv). */
const EXTENTS = {
  config: [0, 25],
  A_boot: [25, 256],
  A_root: [281, 2560],
  A_var: [2841, 2560],
  B_boot: [5401, 256],
  B_root: [5657, 2560],
  B_var: [8217, 2560],
  guestos: [10_777, 12_800],
};

test("the disk of a host is that of IC-OS", () => {
  const { partitions, volumes } = hostosDisk("prod");
  const sectors = (mib: number): number => mib * 2048;
  expect(partitions.map(({ name, startMiB, sizeMiB }) => [name, sectors(startMiB), sectors(sizeMiB)])).toEqual([
    ["esp", 2048, 204_800],
    ["grub", 206_848, 204_800],
    ["hostlvm", 411_648, 209_715_200],
  ]);
  expect(Object.fromEntries(volumes.map(({ name, firstExtent, extents }) => [name, [firstExtent, extents]]))).toEqual(EXTENTS);
});

test.each(["lab", "prod"] as const)("the volumes of %s are those of the profile, one behind the other in the third partition", (layout) => {
  const { partitions, volumes } = hostosDisk(layout);
  const { config, boot, root, var: own } = profiles.hostos.layout.partitions;
  const names = new Set(volumes.map(({ name }) => `hostlvm/${name}`));
  for (const name of [config, boot("A"), root("A"), own("A"), boot("B"), root("B"), own("B")]) expect(names).toContain(name);
  const group = partitions.at(-1) ?? { startMiB: 0, sizeMiB: 0 };
  let end = group.startMiB + 1;
  for (const { startMiB, sizeMiB } of volumes) {
    expect(startMiB).toBe(end);
    end += sizeMiB;
  }
  expect(end).toBeLessThanOrEqual(group.startMiB + group.sizeMiB);
});

test("each slot boots its own root", () => {
  for (const slot of ["A", "B"] as const)
    expect(hostosArguments(slot).split(" ")).toEqual(
      expect.arrayContaining([`root=/dev/mapper/hostlvm-${slot}_root`, `dfinity.system=${slot}`, "ro"]),
    );
});
