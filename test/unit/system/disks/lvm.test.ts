import { expect, test } from "vitest";
import { groupIn, groupMember, newLvmUuid, volumeGroupOn, volumeMapping } from "../../../../src/system/disks/lvm.ts";
import { fakeHost } from "../../../support/fake-host.ts";

const device = "/dev/mapper/vda10-crypt";
const report = JSON.stringify({
  report: [
    {
      vg: [{ vg_name: "store", vg_size: "4278190080", vg_extent_size: "4194304", vg_extent_count: "1020" }],
      pv: [{ pv_name: device, pv_uuid: "abc" }],
      lv: [{ lv_name: "shared-crypto", lv_size: "268435456" }],
      pvseg: [],
      seg: [],
    },
  ],
  log: [],
});
const command =
  "lvm fullreport --reportformat json --units b --nosuffix --configreport vg -o vg_name,vg_size,vg_extent_size,vg_extent_count --configreport pv -o pv_name,pv_uuid " +
  `--configreport lv -o lv_name,lv_size --configreport seg -o lv_uuid --configreport pvseg -o pv_uuid --devices ${device}`;

test("group and volumes are read from LVM's report", () => {
  expect(groupIn(report)).toEqual({
    name: "store",
    extentBytes: 4194304,
    extents: 1020,
    bytes: 4278190080,
    volumes: new Map([["shared-crypto", 268435456]]),
  });
});

test("a physical volume that is in no group has none", () => {
  expect(groupIn(JSON.stringify({ report: [{ vg: [], pv: [{ pv_name: device, pv_uuid: "abc" }], lv: [] }] }))).toBeUndefined();
});

test("only the one device is inspected", async () => {
  const host = fakeHost({ commands: { [command]: report } });
  expect((await volumeGroupOn(host, device))?.name).toBe("store");
});

test("a physical volume that is a volume itself is known, whatever LVM calls it, and those that are missing are not it", async () => {
  const fields = "vg -o vg_name,vg_uuid,vg_seqno --configreport pv -o pv_name,pv_uuid --configreport lv -o lv_name,lv_uuid";
  const form = "--readonly --config devices/scan_lvs=1 --reportformat json --units b --nosuffix";
  const asked = `lvm fullreport ${form} --configreport ${fields} --configreport seg -o lv_uuid --configreport pvseg -o pv_uuid --devices /dev/mapper/old-guest`;
  const pv = [
    { pv_name: "[unknown]", pv_uuid: "gone" },
    { pv_name: "/dev/old/guest", pv_uuid: "own" },
  ];
  const answer = JSON.stringify({ report: [{ vg: [{ vg_name: "inner", vg_uuid: "u", vg_seqno: "3" }], pv, lv: [] }] });
  const found = await groupMember(fakeHost({ commands: { [asked]: answer } }), "/dev/mapper/old-guest");
  expect(found).toMatchObject({ name: "inner", own: "own", changes: 3, members: ["gone", "own"] });
});

test("the races that LVM and udev have are retryable, and nothing else is", async () => {
  const failing = (stderr: string) => fakeHost({ commands: { [command]: { status: 5, stderr } } });
  await expect(volumeGroupOn(failing("  Can't open /dev/dm-0 exclusively.  Mounted filesystem?\n"), device)).rejects.toMatchObject({
    retryable: true,
  });
  await expect(volumeGroupOn(failing("  Insufficient free space: 10 extents needed\n"), device)).rejects.toMatchObject({
    retryable: false,
  });
});

test("hyphens are doubled in device-mapper names", () => {
  expect(volumeMapping("store", "shared-data")).toBe("store-shared--data");
});

test("a new identifier has LVM's form", () => {
  expect(newLvmUuid()).toMatch(/^\w{6}-\w{4}-\w{4}-\w{4}-\w{4}-\w{4}-\w{6}$/);
  expect(newLvmUuid()).not.toBe(newLvmUuid());
});
