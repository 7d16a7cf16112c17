import { deadlineIn, pause, systemClock } from "../base/clock.ts";
import type { Host } from "../system/host.ts";
import { UDEV_CONTROL, UDEV_QUEUE } from "../system/disks/device-event.ts";
import type { Search } from "./medium.ts";

/**
 * Searches, and once more when no drive is to come any more. A node without a medium waits for nothing.
 *
 * @param note receives what is no longer waited for, after half a minute
 */
export async function whileDrivesCome<T>(
  { host, note }: { readonly host: Host; readonly note: (text: string) => void },
  once: () => Promise<Search<T>>,
): Promise<Search<T>> {
  let pending = await pendingDrive(host);
  const result = await once();
  if (pending === undefined || result.found.length > 0) return result;
  const left = deadlineIn(LONGEST_WAIT);
  while (pending !== undefined) {
    if (left() === 0) {
      note(`no longer waiting for ${pending}: attach the configuration medium otherwise, or boot again`);
      break;
    }
    await pause(systemClock, CHECK_AGAIN, host.signal);
    host.signal.throwIfAborted();
    pending = await pendingDrive(host);
  }
  return once();
}

/** Milliseconds. A USB disk appears within 2 s of its controller, on a machine that emulates slowly; its driver is loaded before. */
const LONGEST_WAIT = 30_000;
/** Milliseconds. */
const CHECK_AGAIN = 200;

/**
 * Whether the kernel is still bringing up a drive, so that a search that found none came too early: a USB disk becomes a block device up to
 * seconds after its controller. It reads sysfs, and starts no process.
 *
 * @returns what is awaited, for messages, or `undefined` when nothing is
 */
export async function pendingDrive(host: Host): Promise<string | undefined> {
  // Without udev no driver is loaded, and nothing comes.
  if ((await host.stat(UDEV_CONTROL)) === undefined) return undefined;
  const isBusy = (await host.stat(UDEV_QUEUE)) !== undefined;
  return (isBusy ? await controllerWithoutDriver(host) : undefined) ?? (await newUsbBus(host)) ?? (await usbDriveWithoutDisk(host, isBusy));
}

const PCI = "/sys/bus/pci/devices";
const USB = "/sys/bus/usb/devices";
const BLOCK = "/sys/class/block";

/** PCI classes 01 (mass storage) and 0c03 (USB), of the PCI Code and ID Assignment Specification. */
const CONTROLLER = /^0x(01|0c03)/;

async function controllerWithoutDriver(host: Host): Promise<string | undefined> {
  for (const address of (await host.list(PCI)) ?? []) {
    if (!CONTROLLER.test((await host.readText(`${PCI}/${address}/class`)) ?? "")) continue;
    if ((await host.readLink(`${PCI}/${address}/driver`)) === undefined) return `the controller ${address}, which has no driver yet`;
  }
  return undefined;
}

/**
 * A root hub takes about 0.3 s until it reports what is plugged in: 0.1 s of stable signal, then the reset and the address (USB 2.0,
 * 7.1.7.3 and 7.1.7.5). Nothing in sysfs tells a port where this is under way from an empty one, so the hub's age counts: milliseconds since
 * the kernel made it (Documentation/ABI/testing/sysfs-bus-usb, connected_duration).
 */
async function newUsbBus(host: Host): Promise<string | undefined> {
  for (const bus of (await host.list(USB)) ?? []) {
    if (!/^usb\d+$/.test(bus)) continue;
    const age = await host.readText(`${USB}/${bus}/power/connected_duration`);
    if (age !== undefined && Number(age) < NEW_BUS) return `the devices of ${bus}, which is new`;
  }
  return undefined;
}

/** Milliseconds. */
const NEW_BUS = 1000;

/** Interface class 08 of USB: mass storage. An empty card reader has a disk too, of size 0. Only while udev is busy may a driver still come. */
async function usbDriveWithoutDisk(host: Host, isBusy: boolean): Promise<string | undefined> {
  const drives: string[] = [];
  for (const device of (await host.list(USB)) ?? []) {
    if (!device.includes(":") || (await host.readText(`${USB}/${device}/bInterfaceClass`))?.trim() !== "08") continue;
    if (isBusy || (await host.readLink(`${USB}/${device}/driver`)) !== undefined) drives.push(device);
  }
  if (drives.length === 0) return undefined;
  const disks = await Promise.all(((await host.list(BLOCK)) ?? []).map((name) => host.readLink(`${BLOCK}/${name}`)));
  const waiting = drives.find((device) => !disks.some((path) => path?.includes(`/${device}/`)));
  return waiting === undefined ? undefined : `the disk of the USB drive ${waiting}`;
}
