import { expect, test } from "vitest";
import {
  findPartition,
  mappings,
  partitionsOf,
  requireDevice,
  requirePartition,
  rootDisk,
} from "../../../../src/system/disks/block-devices.ts";
import { fakeHost } from "../../../support/fake-host.ts";

function partition(disk: string, name: string, number: number, label: string, minor: number): Record<string, string> {
  const folder = `/sys/class/block/${disk}/${name}`;
  const files = {
    partition: `${number}\n`,
    size: "2048\n",
    dev: `254:${minor}\n`,
    uevent: `MAJOR=254\nDEVNAME=${name}\nPARTN=${number}\nPARTNAME=${label}\n`,
  };
  return Object.fromEntries(
    Object.entries(files).flatMap(([file, text]) => [
      [`${folder}/${file}`, text],
      [`/sys/class/block/${name}/${file}`, text],
    ]),
  );
}

const root = "22 1 254:5 / / ro,relatime - ext4 /dev/root ro\n";
const files = {
  "/proc/self/mountinfo": root,
  ...partition("vda", "vda10", 10, "store", 10),
  ...partition("vda", "vda5", 5, "A_root", 5),
  "/sys/class/block/vda/queue/rotational": "1\n",
};
const links = { "/sys/dev/block/254:5": "../../devices/pci0000:00/0000:00:04.0/virtio1/block/vda/vda5" };

test("the disk is the one that the root file system is on", async () => {
  expect(await rootDisk(fakeHost({ files, links }))).toBe("vda");
});

test("a root on dm-verity is followed to the disk below it", async () => {
  const host = fakeHost({
    files: {
      ...files,
      "/proc/self/mountinfo": "22 1 253:0 / / ro - ext4 /dev/mapper/root ro\n",
      "/sys/class/block/dm-0/slaves/vda5/dev": "254:5\n",
    },
    links: { ...links, "/sys/dev/block/253:0": "../../devices/virtual/block/dm-0" },
  });
  expect(await rootDisk(host)).toBe("vda");
});

test("a root that is on no block device is a clear error", async () => {
  const host = fakeHost({ files: { "/proc/self/mountinfo": "22 1 0:31 / / rw - overlay overlay rw\n" } });
  await expect(rootDisk(host)).rejects.toThrow(/which disk the root file system is on.*0:31/);
});

test("partitions are listed by number with their names, sizes and device numbers", async () => {
  expect(await partitionsOf(fakeHost({ files, links }), "vda")).toEqual([
    { name: "vda5", device: "/dev/vda5", number: 5, label: "A_root", bytes: 1048576, deviceNumber: "254:5" },
    { name: "vda10", device: "/dev/vda10", number: 10, label: "store", bytes: 1048576, deviceNumber: "254:10" },
  ]);
});

test("a partition of the same name on another disk is never found", async () => {
  const host = fakeHost({ files: { ...files, ...partition("vdb", "vdb1", 1, "config", 17) }, links });
  expect(await findPartition(host, "config")).toBeUndefined();
});

test("two partitions of one name are an error that names both", async () => {
  const host = fakeHost({ files: { ...files, ...partition("vda", "vda11", 11, "store", 11) }, links });
  await expect(findPartition(host, "store")).rejects.toThrow(/vda10 and vda11/);
});

test("a missing partition is an error that lists those that are there", async () => {
  await expect(requirePartition(fakeHost({ files, links }), "config")).rejects.toThrow(
    /no partition named config on \/dev\/vda: found vda5 A_root, vda10 store/,
  );
});

test("mappings are known by name, with what made them", async () => {
  const folder = "/sys/class/block/dm-1";
  const host = fakeHost({
    files: {
      [`${folder}/dm/name`]: "var_crypt\n",
      [`${folder}/dm/uuid`]: "CRYPT-LUKS2-0123-var_crypt\n",
      [`${folder}/size`]: "4\n",
      [`${folder}/dev`]: "253:1\n",
      "/sys/class/block/vda/size": "1\n",
    },
  });
  expect([...(await mappings(host)).values()]).toEqual([
    { name: "var_crypt", uuid: "CRYPT-LUKS2-0123-var_crypt", device: "/dev/dm-1", bytes: 2048, deviceNumber: "253:1" },
  ]);
});

/** A HostOS: the root and the other volumes of one group, on a partition of the disk. */
function volumes(below: string): Parameters<typeof fakeHost>[0] {
  const volume = (number: number, name: string, slave: string, device: string): Record<string, string> => ({
    [`/sys/class/block/dm-${number}/dm/name`]: `${name}\n`,
    [`/sys/class/block/dm-${number}/dm/uuid`]: "LVM-x\n",
    [`/sys/class/block/dm-${number}/size`]: "2048\n",
    [`/sys/class/block/dm-${number}/dev`]: `253:${number}\n`,
    [`/sys/class/block/dm-${number}/slaves/${slave}/x`]: "",
    [`/sys/class/block/${slave}/dev`]: device,
  });
  return {
    files: {
      ...files,
      "/proc/self/mountinfo": "22 1 253:0 / / ro - ext4 /dev/mapper/hostlvm-A_root ro\n",
      ...volume(0, "hostlvm-A_root", "vda5", "254:5"),
      ...volume(1, "hostlvm-a--b", below, below === "vda5" ? "254:5" : "8:1"),
      "/sys/class/block/sda1/partition": "1\n",
    },
    links: {
      ...links,
      "/sys/dev/block/253:0": "../../devices/virtual/block/dm-0",
      "/sys/dev/block/253:1": "../../devices/virtual/block/dm-1",
      "/sys/dev/block/8:1": "../../devices/pci0000:00/0000:00:05.0/block/sda/sda1",
    },
  };
}

test("a name with a slash is that of a logical volume on the system's own disk; any other one that of a partition", async () => {
  const host = fakeHost(volumes("vda5"));
  expect(await requireDevice(host, "hostlvm/a-b")).toMatchObject({
    name: "dm-1",
    device: "/dev/dm-1",
    deviceNumber: "253:1",
    bytes: 1_048_576,
  });
  expect(await requireDevice(host, "store")).toMatchObject({ device: "/dev/vda10" });
});

test("a volume that is not active is an error; one on another disk is refused", async () => {
  await expect(requireDevice(fakeHost(volumes("vda5")), "hostlvm/config")).rejects.toMatchObject({
    problem: { code: "logical-volume-absent", found: "no device-mapper device hostlvm-config" },
  });
  await expect(requireDevice(fakeHost(volumes("sda1")), "hostlvm/a-b")).rejects.toMatchObject({
    problem: { code: "volume-elsewhere", found: "/dev/sda", expected: "/dev/vda" },
  });
});
