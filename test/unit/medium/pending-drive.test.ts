import { expect, test } from "vitest";
import { pendingDrive } from "../../../src/medium/pending-drive.ts";
import { type FakeMachine, fakeHost } from "../../support/fake-host.ts";

const UDEV = { "/run/udev/control": "" };
const BUSY = { ...UDEV, "/run/udev/queue": "" };
const PCI = "/sys/bus/pci/devices/0000:00:03.0";
const USB = "/sys/bus/usb/devices";
const BUS = `${USB}/usb2/power/connected_duration`;
const DRIVE = { [`${USB}/2-1:1.0/bInterfaceClass`]: "08\n" };
const DRIVER = { [`${USB}/2-1:1.0/driver`]: "../../../../bus/usb/drivers/usb-storage" };
const DISK = { "/sys/class/block/sda": "../../devices/pci0000:00/0000:00:03.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/sda" };
const OTHER_DISK = { "/sys/class/block/vda": "../../devices/pci0000:00/0000:00:04.0/virtio1/block/vda" };

/** Paths as a node of QEMU has them. */
test.each<readonly [string, FakeMachine, string | undefined]>([
  ["a machine without udev", { files: { ...DRIVE, [`${PCI}/class`]: "0x0c0330\n" }, links: DRIVER }, undefined],
  ["a machine without drives", { files: UDEV, links: OTHER_DISK }, undefined],
  [
    "a USB controller before its driver",
    { files: { ...BUSY, [`${PCI}/class`]: "0x0c0330\n" } },
    "the controller 0000:00:03.0, which has no driver yet",
  ],
  [
    "a disk controller before its driver",
    { files: { ...BUSY, [`${PCI}/class`]: "0x010802\n" } },
    "the controller 0000:00:03.0, which has no driver yet",
  ],
  ["a controller that gets no driver", { files: { ...UDEV, [`${PCI}/class`]: "0x0c0330\n" } }, undefined],
  ["a controller with its driver", { files: { ...BUSY, [`${PCI}/class`]: "0x0c0330\n" }, links: { [`${PCI}/driver`]: "x" } }, undefined],
  ["another device without a driver", { files: { ...BUSY, [`${PCI}/class`]: "0x030000\n" } }, undefined],
  ["a bus of half a second", { files: { ...UDEV, [BUS]: "500\n" } }, "the devices of usb2, which is new"],
  ["a bus of two seconds", { files: { ...BUSY, [BUS]: "2000\n" } }, undefined],
  ["a bus of which the kernel knows no age", { files: { ...UDEV, [`${USB}/usb2/dev`]: "189:128\n" } }, undefined],
  [
    "a USB drive without its disk",
    { files: { ...UDEV, ...DRIVE }, links: { ...DRIVER, ...OTHER_DISK } },
    "the disk of the USB drive 2-1:1.0",
  ],
  ["a USB drive with its disk", { files: { ...UDEV, ...DRIVE }, links: { ...DRIVER, ...OTHER_DISK, ...DISK } }, undefined],
  ["a USB drive before its driver", { files: { ...BUSY, ...DRIVE }, links: OTHER_DISK }, "the disk of the USB drive 2-1:1.0"],
  ["a USB drive that no driver wants", { files: { ...UDEV, ...DRIVE }, links: OTHER_DISK }, undefined],
  ["a USB keyboard", { files: { ...UDEV, [`${USB}/2-1:1.0/bInterfaceClass`]: "03\n" }, links: DRIVER }, undefined],
])("%s", async (_, machine, awaited) => {
  expect(await pendingDrive(fakeHost(machine))).toBe(awaited);
});
