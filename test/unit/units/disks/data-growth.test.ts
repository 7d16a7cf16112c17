import fc from "fast-check";
import { expect, test } from "vitest";
import { isConflict, type Plan } from "../../../../src/boot/unit.ts";
import { dataGrowth } from "../../../../src/units/disks/data-growth.ts";
import { lowMark, wantedExtents } from "../../../../src/units/disks/data-growth-marks.ts";
import { fakeHost, type FakeHost } from "../../../support/fake-host.ts";
import { testMachine } from "../../../support/test-machine.ts";

const MIB = 1024 ** 2;
const EXTENT = 4 * MIB;
/** 1000 extents: a step is 50 of them, the mark is 100. */
const GROUP = 1000 * EXTENT;

test("with a tenth of the group free nothing grows; below, by twentieths until there is", () => {
  const volume = { groupBytes: GROUP, extentBytes: EXTENT, freeExtents: 500, volumeExtents: 250 };
  expect(wantedExtents({ ...volume, freeBytes: 100 * EXTENT })).toBe(250);
  expect(wantedExtents({ ...volume, freeBytes: 100 * EXTENT - 1 })).toBe(300);
  expect(wantedExtents({ ...volume, freeBytes: 0 })).toBe(400);
});

test("it never takes more than there is, nor more than 15 TiB altogether", () => {
  const volume = { groupBytes: GROUP, extentBytes: EXTENT, volumeExtents: 250, freeBytes: 0 };
  expect(wantedExtents({ ...volume, freeExtents: 30 })).toBe(280);
  expect(wantedExtents({ ...volume, freeExtents: 0 })).toBe(250);
  const tib = 1024 ** 4 / EXTENT;
  const huge = { groupBytes: 40 * 1024 ** 4, extentBytes: EXTENT, freeExtents: 20 * tib, freeBytes: 0 };
  expect(wantedExtents({ ...huge, volumeExtents: 14.5 * tib })).toBe(15 * tib);
  expect(wantedExtents({ ...huge, volumeExtents: 16 * tib })).toBe(16 * tib);
});

test("for every volume: it never shrinks, stays within the group, and once grown has enough or all", () => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.nat(100_000), fc.nat(1_000), (volume, free, percent) => {
      const groupBytes = (volume + free) * EXTENT;
      const freeBytes = Math.floor((volume * EXTENT * percent) / 1000);
      const wanted = wantedExtents({ groupBytes, extentBytes: EXTENT, freeExtents: free, volumeExtents: volume, freeBytes });
      expect(wanted).toBeGreaterThanOrEqual(volume);
      expect(wanted - volume).toBeLessThanOrEqual(free);
      const after = freeBytes + (wanted - volume) * EXTENT;
      expect(after >= lowMark(groupBytes) || wanted === volume + free).toBe(true);
    }),
  );
});

interface State {
  readonly freeMib: number;
  /** Extents of shared-data, and of the file system on it. */
  readonly volume: number;
  readonly fileSystem?: number;
  readonly mounted?: boolean;
}

const DEVICE = "/dev/mapper/vda10-crypt";
const REPORT =
  "lvm fullreport --reportformat json --units b --nosuffix --configreport vg -o vg_name,vg_size,vg_extent_size,vg_extent_count --configreport pv -o pv_name,pv_uuid --configreport lv -o lv_name,lv_size --configreport seg -o lv_uuid --configreport pvseg -o pv_uuid";

function node({ freeMib, volume, fileSystem = volume, mounted = true }: State): FakeHost {
  const disk = "/sys/class/block/vda";
  const report = {
    vg: [{ vg_name: "store", vg_size: String(GROUP), vg_extent_size: String(EXTENT), vg_extent_count: "1000" }],
    lv: [
      { lv_name: "shared-crypto", lv_size: String(100 * EXTENT) },
      { lv_name: "shared-data", lv_size: String(volume * EXTENT) },
    ],
  };
  const mountinfo = [
    "1 0 253:5 / / ro - ext4 /dev/vda5 ro",
    ...(mounted ? ["2 1 254:7 / /var/lib/ic/data rw - xfs /dev/mapper/x rw"] : []),
  ];
  return fakeHost({
    files: {
      "/proc/self/mountinfo": `${mountinfo.join("\n")}\n`,
      [`${disk}5/partition`]: "5\n",
      [`${disk}/vda10/x`]: "",
      [`${disk}10/partition`]: "10\n",
      [`${disk}10/uevent`]: "PARTN=10\nPARTNAME=store\n",
      [`${disk}10/size`]: "8192000\n",
      [`${disk}10/dev`]: "253:10\n",
      "/sys/class/block/dm-7/dm/name": "store-shared--data\n",
      "/sys/class/block/dm-7/dm/uuid": "LVM-x\n",
      "/sys/class/block/dm-7/size": "1\n",
      "/sys/class/block/dm-7/dev": "254:7\n",
    },
    links: { "/sys/dev/block/253:5": "../../devices/pci/block/vda/vda5" },
    spaces: { "/var/lib/ic/data": { total: fileSystem * EXTENT, free: freeMib * MIB } },
    commands: {
      [`${REPORT} --devices ${DEVICE}`]: JSON.stringify({ report: [report] }),
      "xfs_growfs -n /var/lib/ic/data": `meta-data=x isize=512\ndata     =                       bsize=4096   blocks=${(fileSystem * EXTENT) / 4096 - 20}, imaxpct=25\n`,
    },
  });
}

const texts = (plan: Plan): readonly string[] => (isConflict(plan) ? [plan.conflict.what] : plan.map(({ description }) => description));
const planned = async (state: State): Promise<readonly string[]> => texts(await dataGrowth.plan(testMachine(node(state))));

test("a volume with enough free is left alone", async () => {
  expect(await planned({ freeMib: 400, volume: 250 })).toEqual([]);
});

test("the volume grows first, then its file system", async () => {
  expect(await planned({ freeMib: 399, volume: 250 })).toEqual([
    "grow the volume shared-data from 1000 MiB to 1200 MiB",
    "grow the file system at /var/lib/ic/data to 1200 MiB",
  ]);
});

test("where a power cut came between the two, the file system is what is left", async () => {
  expect(await planned({ freeMib: 399, volume: 300, fileSystem: 250 })).toEqual(["grow the file system at /var/lib/ic/data to 1200 MiB"]);
  expect(await planned({ freeMib: 800, volume: 300, fileSystem: 250 })).toEqual(["grow the file system at /var/lib/ic/data to 1200 MiB"]);
});

test("a full group is named", async () => {
  expect(await planned({ freeMib: 399, volume: 900 })).toEqual(["shared-data is nearly full, and cannot grow"]);
});

test("what is not mounted cannot be inspected", async () => {
  await expect(planned({ freeMib: 399, volume: 250, mounted: false })).rejects.toMatchObject({
    problem: { what: "shared-data is not mounted, so it cannot grow" },
  });
});

test("answers of a tool that say nothing are no sizes", async () => {
  const host = node({ freeMib: 1, volume: 250 });
  const run: FakeHost["run"] = async (given) => {
    const completed = await host.run(given);
    return given.program === "xfs_growfs" ? { ...completed, stdout: "?\n" } : completed;
  };
  await expect(dataGrowth.plan(testMachine({ ...host, run }))).rejects.toMatchObject({ problem: { found: '"?\\n"' } });
});
