import fc from "fast-check";
import { expect, test } from "vitest";
import { guestosLayout } from "../../../../src/config/layout/layout.ts";
import { volumeExtents } from "../../../../src/units/disks/volumes.ts";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const EXTENT = 4 * MIB;

function sizes(groupBytes: number): Record<string, number> {
  const extents = volumeExtents(guestosLayout.volumes, groupBytes, EXTENT, Math.floor(groupBytes / EXTENT));
  return Object.fromEntries([...extents].map(([name, count]) => [name, (count * EXTENT) / MIB]));
}

test("on a node's disk the volumes have the sizes of the interface", () => {
  expect(sizes(30 * 1024 * GIB)).toEqual({
    "shared-crypto": 1024,
    "shared-swap": 64 * 1024,
    "shared-backup": 180 * 1024,
    "shared-data": 7.5 * 1024 * 1024,
  });
});

test("on a lab's disk they scale down", () => {
  expect(sizes(4 * GIB)).toEqual({ "shared-crypto": 256, "shared-swap": 584, "shared-backup": 1024, "shared-data": 1024 });
});

test("a group of any size either holds all volumes, or is refused with what it would take", () => {
  fc.assert(
    fc.property(fc.integer({ min: 16, max: 64 * 1024 * 1024 }), (mebibytes) => {
      try {
        const total = Object.values(sizes(mebibytes * MIB)).reduce((sum, size) => sum + size, 0);
        expect(total).toBeLessThanOrEqual(mebibytes);
        expect(sizes(mebibytes * MIB)["shared-data"]).toBeGreaterThanOrEqual(300);
      } catch (error) {
        expect(error).toMatchObject({ problem: { what: "the store is too small for its volumes" } });
        expect(mebibytes).toBeLessThan(700);
      }
    }),
  );
});
