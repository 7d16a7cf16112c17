import { join } from "node:path";
import type { Host } from "../host.ts";

/** What a USB device says of itself, as sysfs shows it (the kernel's Documentation/ABI/testing/sysfs-bus-usb). */
export interface UsbDevice {
  /** Four hexadecimal digits, as in lsusb(8). */
  readonly vendor: string;
  readonly manufacturer: string;
  readonly product: string;
}

const DEVICES = "/sys/bus/usb/devices";

/** All that are plugged in. Their words are those of whoever made the device. */
export async function usbDevices(host: Host): Promise<readonly UsbDevice[]> {
  const found: UsbDevice[] = [];
  for (const name of (await host.list(DEVICES)) ?? []) {
    const read = async (file: string): Promise<string> => ((await host.readText(join(DEVICES, name, file))) ?? "").trim();
    const vendor = await read("idVendor");
    // An interface of a device is listed, too.
    if (vendor !== "") found.push({ vendor, manufacturer: await read("manufacturer"), product: await read("product") });
  }
  return found;
}
