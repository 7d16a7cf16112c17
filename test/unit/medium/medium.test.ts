import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { guestosLayout } from "../../../src/config/layout/layout.ts";
import { waitForDeviceEvent } from "../../../src/system/disks/device-event.ts";
import { parseFatBootSector } from "../../../src/system/disks/fat.ts";
import { noMedium, parseUdevData, searchMedia, surveyMedia } from "../../../src/medium/medium.ts";
import type { MediumSource } from "../../../src/medium/medium-source.ts";
import { type Disk, fatBootSector, machineWithDisks } from "../../support/disks.ts";
import { problemOf } from "../../support/problem-of.ts";

const FAT = fatBootSector(12);
const FAT32 = fatBootSector(32);
const VFAT = { ID_FS_TYPE: "vfat" };

test.each<readonly [string, Readonly<Record<string, Disk>>, readonly string[]]>([
  ["nothing but the system's own disk, whatever that says of itself", {}, []],
  ["a removable disk", { sda: { removable: true } }, ["/dev/sda removable"]],
  [
    "a removable disk with partitions: the first by number",
    { sda: { removable: true, partitions: { sda10: { number: 10 }, sda2: { number: 2 } } } },
    ["/dev/sda2 removable"],
  ],
  [
    "a removable disk whose first partition is empty",
    { sda: { removable: true, partitions: { sda1: { number: 1, size: 0 }, sda2: { number: 2 } } } },
    ["/dev/sda2 removable"],
  ],
  [
    "an NVMe disk with partitions",
    { nvme0n1: { removable: true, partitions: { nvme0n1p1: { number: 1 } } } },
    ["/dev/nvme0n1p1 removable"],
  ],
  ["an empty card reader", { sdb: { removable: true, size: 0 } }, []],
  ["a virtio disk of the serial", { vdb: { serial: "config" } }, ["/dev/vdb serial config"]],
  ["a virtio disk of the serial, with a line end", { vdb: { serial: "config\n" } }, ["/dev/vdb serial config"]],
  ["a virtio disk of another serial", { vdb: { serial: "config2" } }, []],
  [
    "a SCSI disk of the serial",
    { sda: { udev: { ID_SCSI_SERIAL: "config", ID_SERIAL: "0QEMU_QEMU_HARDDISK_config" } } },
    ["/dev/sda serial config"],
  ],
  ["a USB disk of the serial", { sda: { udev: { ID_SERIAL_SHORT: "config" } } }, ["/dev/sda serial config"]],
  ["a disk labelled CONFIG", { vdb: { udev: { ID_FS_LABEL: "CONFIG" } } }, ["/dev/vdb label CONFIG"]],
  [
    "a partition labelled CONFIG, the second one",
    { vdb: { partitions: { vdb1: { number: 1 }, vdb2: { number: 2, udev: { ID_FS_LABEL: "CONFIG" } } } } },
    ["/dev/vdb2 label CONFIG"],
  ],
  ["a disk labelled config", { vdb: { udev: { ID_FS_LABEL: "config" } } }, ["/dev/vdb label config"]],
  ["another label", { vdb: { udev: { ID_FS_LABEL: "CONFIG2" } } }, []],
  ["removable and labelled: once", { sda: { removable: true, udev: { ID_FS_LABEL: "CONFIG" } } }, ["/dev/sda removable"]],
  ["two of them", { sda: { removable: true }, vdb: { serial: "config" } }, ["/dev/sda removable", "/dev/vdb serial config"]],
])("%s", async (_, disks, expected) => {
  const host = machineWithDisks(disks);
  const { candidates } = await surveyMedia(host, guestosLayout);
  expect(candidates.map(({ device, because }) => `${device} ${because}`)).toEqual(expected);
  expect(host.effects).toEqual([]);
});

/** udev takes a FAT's label from its root folder alone: libblkid calls the other one LABEL_FATBOOT, and udev does not pass that on. */
test.each<readonly [string, Uint8Array | undefined, Readonly<Record<string, string>>, string | undefined]>([
  ["in the boot sector alone", fatBootSector(12, "CONFIG"), VFAT, "label CONFIG in the boot sector"],
  ["in the boot sector of a FAT32, in small letters", fatBootSector(32, "config"), VFAT, "label config in the boot sector"],
  ["in the boot sector, and another one in the root folder", fatBootSector(12, "CONFIG"), { ...VFAT, ID_FS_LABEL: "OTHER" }, undefined],
  ["nowhere", FAT, VFAT, undefined],
  ["in the boot sector of what udev has not inspected", fatBootSector(12, "CONFIG"), {}, undefined],
  ["that cannot be read", undefined, VFAT, undefined],
])("a label %s", async (_, sector, udev, because) => {
  for (const partitioned of [false, true]) {
    const device = partitioned ? "/dev/vdb1" : "/dev/vdb";
    const disk: Disk = partitioned ? { partitions: { vdb1: { number: 1, udev } } } : { udev };
    const host = machineWithDisks({ vdb: disk }, sector === undefined ? {} : { [device]: sector });
    const { candidates } = await surveyMedia(host, guestosLayout);
    expect(candidates).toEqual(because === undefined ? [] : [{ device, because }]);
  }
});

test("whatever the first sector holds, the end is an answer", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (bytes, sound) => {
      const sector = sound ? Buffer.concat([FAT.subarray(0, 36), Buffer.from(bytes), Buffer.alloc(512)]) : bytes;
      if (sound) sector.set([0x55, 0xaa], 510);
      const found = parseFatBootSector(sector);
      if (sound) expect(found?.label.length).toBeLessThanOrEqual(11);
      if (bytes.length < 512 && !sound) expect(found).toBeUndefined();
    }),
  );
});

test("what was seen is said of every device that is not empty", async () => {
  const { seen } = await surveyMedia(machineWithDisks({ sda: { removable: true, size: 0 }, vdb: {}, loop0: { size: 0 } }), guestosLayout);
  expect(seen).toEqual(
    ["vda (the system's own disk)", "sda (removable, empty)", "vdb (neither removable, nor of that serial or label)"].toSorted(),
  );
});

test("a root file system on no block device leaves every disk a candidate", async () => {
  const host = machineWithDisks({ sda: { removable: true } }, { "/proc/self/mountinfo": "1 0 0:25 / / rw - overlay overlay rw\n" });
  expect((await surveyMedia(host, guestosLayout)).candidates.map(({ device }) => device)).toContain("/dev/sda");
});

const MOUNT = (device: string): string => `mount -t vfat -o ro,umask=0077,nodev,nosuid,noexec -- ${device} /run/guestos-boot/medium`;
const UMOUNT = "umount -- /run/guestos-boot/medium";
const TAR = { "/run/guestos-boot/medium/ic-bootstrap.tar": "the tar" };
const read = async ({ path, title }: MediumSource): Promise<string> => `${title} from ${path}`;

test("a medium is mounted read-only for as long as its tar is read, and nothing of it is left", async () => {
  const host = machineWithDisks({ sda: { removable: true } }, { "/dev/sda": FAT, ...TAR }, { [MOUNT("/dev/sda")]: "", [UMOUNT]: "" });
  const { found } = await searchMedia(host, guestosLayout, async (source) => {
    host.effects.push("read");
    return read(source);
  });
  expect(found).toEqual([{ device: "/dev/sda", result: "/dev/sda: ic-bootstrap.tar from /run/guestos-boot/medium/ic-bootstrap.tar" }]);
  expect(host.effects).toEqual([
    "make /run/guestos-boot/medium",
    `run ${MOUNT("/dev/sda")}`,
    "read",
    `run ${UMOUNT}`,
    "remove /run/guestos-boot/medium",
  ]);
});

test("a medium is unmounted also when its tar is refused, and the refusal is what is said", async () => {
  const host = machineWithDisks({ sda: { removable: true } }, { "/dev/sda": FAT32, ...TAR }, { [MOUNT("/dev/sda")]: "", [UMOUNT]: "" });
  const search = searchMedia(host, guestosLayout, async () => Promise.reject(new Error("bad tar")));
  await expect(search).rejects.toThrow("bad tar");
  expect(host.effects.slice(-2)).toEqual([`run ${UMOUNT}`, "remove /run/guestos-boot/medium"]);
});

test("a file that the kernel cannot read is an error of the medium, by the name of its device", async () => {
  const host = machineWithDisks({ sda: { removable: true } }, { "/dev/sda": FAT32, ...TAR }, { [MOUNT("/dev/sda")]: "", [UMOUNT]: "" });
  const failed = Object.assign(new Error("EIO: i/o error, read"), { code: "EIO", syscall: "read", path: "/run/guestos-boot/medium/x" });
  expect(await problemOf(async () => searchMedia(host, guestosLayout, async () => Promise.reject(failed)))).toMatchObject({
    code: "medium-not-readable",
    what: "the configuration medium on /dev/sda cannot be read",
    found: expect.stringContaining("EIO"),
  });
  expect(host.effects.slice(-2)).toEqual([`run ${UMOUNT}`, "remove /run/guestos-boot/medium"]);
});

test("what a killed run left mounted is unmounted first", async () => {
  const table = `1 0 253:3 / / ro - ext4 /dev/vda5 ro\n9 1 8:0 / /run/guestos-boot/medium ro - vfat /dev/sda ro\n`;
  const host = machineWithDisks(
    { sda: { removable: true } },
    { "/dev/sda": FAT, "/proc/self/mountinfo": table, ...TAR },
    { [MOUNT("/dev/sda")]: "", [UMOUNT]: "" },
  );
  await searchMedia(host, guestosLayout, read);
  expect(host.effects[0]).toBe(`run ${UMOUNT}`);
});

test("devices that turn out to be something else are named and not mounted", async () => {
  const host = machineWithDisks(
    { sda: { removable: true }, sdb: { removable: true } },
    { "/dev/sda": "an ISO image", "/dev/sdb": FAT },
    { [MOUNT("/dev/sdb")]: "", [UMOUNT]: "" },
  );
  expect(await searchMedia(host, guestosLayout, read)).toEqual({
    found: [],
    seen: [
      "vda (the system's own disk)",
      "/dev/sda (removable; no VFAT on it)",
      "/dev/sdb (removable; neither ic-bootstrap.tar nor config.json in it)",
    ],
  });
});

test("an empty drive and a device that cannot be mounted are named, and do not end the search", async () => {
  const host = machineWithDisks(
    { sr0: { removable: true }, vdb: { serial: "config" }, vdc: { serial: "config" } },
    { "/dev/vdb": FAT, "/dev/vdc": FAT, ...TAR },
    { [MOUNT("/dev/vdb")]: "", [UMOUNT]: "", [MOUNT("/dev/vdc")]: { status: 32, stderr: "wrong fs type" } },
  );
  const failing = {
    ...host,
    readAt: async (path: string, offset: number, length: number) => {
      if (path === "/dev/sr0")
        throw Object.assign(new Error("ENOMEDIUM: no medium found, open '/dev/sr0'"), { code: "ENOMEDIUM", syscall: "open", path });
      return host.readAt(path, offset, length);
    },
  };
  const { found, seen } = await searchMedia(failing, guestosLayout, read);
  expect(found.map(({ device }) => device)).toEqual(["/dev/vdb"]);
  expect(seen).toEqual([
    "vda (the system's own disk)",
    "/dev/sr0 (removable; no medium in the drive)",
    "/dev/vdc (serial config; cannot be mounted: wrong fs type)",
  ]);
});

test("a tar put directly into place counts, beside what media there are", async () => {
  const host = machineWithDisks(
    { sda: { removable: true } },
    { "/mnt/ic-bootstrap.tar": "x", "/dev/sda": FAT, ...TAR },
    { [MOUNT("/dev/sda")]: "", [UMOUNT]: "" },
  );
  expect((await searchMedia(host, guestosLayout, read)).found.map(({ device }) => device)).toEqual(["/mnt/ic-bootstrap.tar", "/dev/sda"]);
});

test("that no medium was found is worth another try, and says what was searched for and found", async () => {
  const problem = await problemOf(() => {
    throw noMedium(guestosLayout, ["vda (the system's own disk)"]);
  });
  expect(problem).toMatchObject({ retryable: true, found: "vda (the system's own disk)" });
  for (const word of ["VFAT", "removable", "serial config", "label CONFIG", "ic-bootstrap.tar", "/mnt/ic-bootstrap.tar"])
    expect(problem.expected).toContain(word);
});

test("of udev's data only properties are read", () => {
  expect(parseUdevData("S:disk/by-label/x\nE:ID_FS_LABEL=CON=FIG\nE:ID_FS_LABEL_ENC=no\nI:1\nE:ID_SERIAL=\n")).toEqual({
    ID_FS_LABEL: "CON=FIG",
    ID_SERIAL: "",
  });
});

test("the wait ends with the next thing that udev writes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "udev-"));
  const waiting = waitForDeviceEvent(new AbortController().signal, folder);
  writeFileSync(join(folder, "b8:0"), "");
  await expect(waiting).resolves.toBeUndefined();
});

test.each([
  ["without udev", "/nonexistent"],
  ["with it", tmpdir()],
])("the wait ends when it is told to, %s", async (_, folder) => {
  const controller = new AbortController();
  const waiting = waitForDeviceEvent(controller.signal, folder);
  controller.abort();
  await expect(waiting).resolves.toBeUndefined();
});
